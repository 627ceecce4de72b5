import type { ConnectionsAnswer, StatsAnswer } from '@sallyport/protocol'
import type { Hono } from 'hono'
import type { Principal } from '../../control-plane.ts'
import type { LiveConnection } from '../../edge-view.ts'
import { notFound } from '../failures.ts'
import { bearer } from '../guards.ts'
import type { ApiDeps, ApiEnv } from '../ports.ts'

const READ = { scope: 'nodes:read' } as const

/** Who is connected now, as far as the asker may see. */
export function addConnectionRoutes(app: Hono<ApiEnv>, deps: ApiDeps): void {
	const { edgeView, store } = deps
	const visible = (principal: Principal) => edgeView.connections().filter((connection) => maySee(principal, connection))

	app.get('/api/connections', bearer(deps, READ), (context) => {
		const connections = visible(context.get('principal')).map((connection) => connection.info)
		return context.json({ connections } satisfies ConnectionsAnswer)
	})

	app.delete('/api/connections/:id', bearer(deps, { kinds: ['web', 'cli'] }), (context) => {
		const id = context.req.param('id')
		const isVisible = visible(context.get('principal')).some((connection) => connection.info.id === id)
		if (!isVisible || !edgeView.closeConnection(id)) throw notFound('connection')
		return context.body(null, 204)
	})

	app.get('/stats', bearer(deps, READ), async (context) => {
		const principal = context.get('principal')
		const nodes = (await store.nodes.listOf(principal.user.id)).map((node) => edgeView.nodeInfo(node, 'admin'))
		const isAdmin = principal.user.roles.some((role) => role === 'admin' || role === 'owner')
		const totals = edgeView.totals()
		const links = visible(principal).map((connection) => connection.info)
		const own = {
			links_open: links.length,
			bytes_to_nodes: links.reduce((sum, link) => sum + link.bytes_to_node, 0),
			bytes_to_clients: links.reduce((sum, link) => sum + link.bytes_to_client, 0),
		}
		const all = {
			links_open: totals.linksOpen,
			bytes_to_nodes: totals.bytesToNodes,
			bytes_to_clients: totals.bytesToClients,
			memory_rss: process.memoryUsage.rss(),
		}
		return context.json({
			version: deps.version,
			uptime_s: Math.floor((deps.nowMs() - totals.startedAtMs) / 1000),
			nodes_total: nodes.length,
			nodes_connected: nodes.filter((node) => node.connected).length,
			...(isAdmin ? all : own),
		} satisfies StatsAnswer)
	})
}

/** The user of the link, and the owner of the machine it leads to. */
function maySee(principal: Principal, connection: LiveConnection): boolean {
	return connection.info.user.id === principal.user.id || connection.nodeOwnerId === principal.user.id
}
