import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from '@sallyport/protocol'
import { CLOSE } from '@sallyport/protocol'
import type { NodeMessageSocket } from '@sallyport/transport/node'
import { CONTROL_SOCKET_BYTES, createHeartbeat, createWebSocketAcceptor, RECORD_SOCKET_BYTES } from '@sallyport/transport/node'
import type { ControlPlane, Revocation } from '../control-plane.ts'
import type { EdgeView } from '../edge-view.ts'
import { NodeFeed } from '../streams/node-feed.ts'
import { streamNodes } from '../streams/stream-nodes.ts'
import { serveClient } from './client-door.ts'
import type { EdgeContext, Peer } from './context.ts'
import { DialTickets } from './dial-tickets.ts'
import { Hop } from './hop.ts'
import { Ledger } from './ledger.ts'
import { serveDialBack } from './link-door.ts'
import { Links } from './links.ts'
import { serveNode } from './node-door.ts'
import type { Moment } from './node-info.ts'
import { nodeInfo } from './node-info.ts'
import type { Origins } from './origins.ts'
import { PendingSockets } from './pending-sockets.ts'
import { Presence } from './presence.ts'
import type { SocketRoute } from './upgrade.ts'
import { judgeUpgrade, rejectUpgrade } from './upgrade.ts'

/** After its start a relay holds opens this long for nodes that were lately connected. */
const HOLD_MS = 10_000

export interface EdgeDeps {
	readonly control: ControlPlane
	readonly origins: Origins
	readonly clientAddress: (request: IncomingMessage) => string
	readonly log: Logger
	readonly nowMs: () => number
}

export interface EdgeOptions {
	readonly pingMs: number
	readonly stalledMs?: number
	readonly socketsPerUser: number
	/** How often an idle live stream shows that it lives. */
	readonly statsRefreshMs: number
	/** @default 10_000 */
	readonly holdMs?: number
}

/** The relay's sockets: who is connected, and the links between them. */
export interface Edge {
	readonly view: EdgeView
	handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
	/** Tells everyone that the relay restarts (1012), and resolves when that nodes went is noted; idempotent. */
	close(): Promise<void>
}

const DOORS = {
	'/api/web/ws': serveClient,
	'/api/nodes/ws': serveNode,
	'/api/nodes/link': serveDialBack,
} as const satisfies Record<SocketRoute, (context: EdgeContext, hop: Hop, peer: Peer) => Promise<void>>

export function createEdge(deps: EdgeDeps, options: EdgeOptions): Edge {
	const { control, origins, log, nowMs } = deps
	const startedAtMs = nowMs()
	const holdUntilMs = startedAtMs + (options.holdMs ?? HOLD_MS)
	const moment = (): Moment => ({ nowMs: nowMs(), holdUntilMs, startedAtMs })
	const feed = new NodeFeed()
	const presence = new Presence({ nowMs, onChange: (nodeId) => feed.touch(nodeId) })
	const heartbeat = createHeartbeat({
		intervalMs: options.pingMs,
		...(options.stalledMs === undefined ? {} : { stalledMs: options.stalledMs }),
	})
	const links = new Links({ heartbeat, nowMs, onCount: (nodeId, change) => presence.countLink(nodeId, change) })
	const ledger = new Ledger({ socketsPerUser: options.socketsPerUser, nowMs })
	const tickets = new DialTickets()
	const bookkeeping = new Set<Promise<void>>()
	const context: EdgeContext = { control, origins, presence, tickets, links, ledger, heartbeat, bookkeeping, log, nowMs, moment }
	const pending = new PendingSockets()
	const acceptors = {
		record: createWebSocketAcceptor({ maxMessageBytes: RECORD_SOCKET_BYTES }),
		control: createWebSocketAcceptor({ maxMessageBytes: CONTROL_SOCKET_BYTES }),
	}

	const handleRevocation = (revocation: Revocation): void => {
		ledger.handleRevocation(revocation)
		if (revocation.kind !== 'node') return
		links.closeOfNode(revocation.id, CLOSE.notFound)
		presence.forget(revocation.id, CLOSE.notFound)
		tickets.failAll(revocation.id, 'it was removed from this relay')
		feed.restructure(revocation.id)
	}
	const unsubscribe = [control.onRevocation(handleRevocation), control.onNodeChange((nodeId) => feed.restructure(nodeId))]
	const serve = (route: SocketRoute, socket: NodeMessageSocket, peer: Peer): void => {
		const hop = new Hop(socket)
		if (!pending.add(hop, peer.address))
			return hop.refuse(CLOSE.rateLimited, 'too many connections from this address wait for their hello', 10_000)
		DOORS[route](context, hop, peer)
			.catch((error: unknown) => {
				log.error('a socket could not be served', { route, error: error instanceof Error ? error.message : String(error) })
				hop.refuse(CLOSE.timedOut, 'the relay could not judge this now, as its database does not answer; try again')
			})
			.finally(() => pending.remove(hop))
	}
	let closing: Promise<void> | undefined
	const closeEdge = async (): Promise<void> => {
		for (const stop of unsubscribe) stop()
		pending.close(CLOSE.restarting)
		tickets.close()
		links.close(CLOSE.restarting)
		ledger.close(CLOSE.restarting)
		presence.close(CLOSE.restarting)
		heartbeat.close()
		feed.close()
		await Promise.all(bookkeeping)
	}

	return {
		view: {
			nodeInfo: (node, access) => nodeInfo(node, access, presence.entry(node.id), moment()),
			connections: () => links.list(),
			closeConnection: (id) => links.cut(id),
			totals: () => ({
				nodesConnected: presence.connectedCount,
				linksOpen: links.count,
				bytesToNodes: links.bytesToNodes,
				bytesToClients: links.bytesToClients,
				startedAtMs,
			}),
			streamOffset: () => feed.offset,
			streamNodes: (principal, request) =>
				streamNodes({ control, presence, feed, ledger, moment, keepAliveMs: options.statsRefreshMs }, principal, request),
		},
		handleUpgrade(request, socket, head) {
			const verdict =
				closing !== undefined
					? ({ kind: 'reject', status: 503, reason: CLOSE.restarting.message } as const)
					: judgeUpgrade(request, origins)
			if (verdict.kind === 'reject') return rejectUpgrade(socket, verdict.status, verdict.reason)
			const peer = { address: deps.clientAddress(request), host: request.headers.host }
			const acceptor = verdict.route === '/api/nodes/ws' ? acceptors.control : acceptors.record
			return acceptor.accept(request, socket, head, (accepted) => serve(verdict.route, accepted, peer))
		},
		close() {
			closing ??= closeEdge()
			return closing
		},
	}
}
