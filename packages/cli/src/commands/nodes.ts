import type { Pairing } from '@sallyport/client'
import type { NodeInfo, NodeOfflineReason } from '@sallyport/protocol'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-codes.ts'
import { showText } from '../text/plain.ts'
import { formatAgo, formatDuration } from '../text/quantities.ts'
import { formatTable } from '../text/table.ts'

/** `sally nodes` */
export async function nodes(context: Context): Promise<number> {
	const client = await (await context.openProfile()).openClient()
	try {
		const { nodes: listed } = await client.api.nodes()
		for (const node of await client.pairArrived(listed)) {
			context.say(`${showText(node.name)} has come by a line of sally add, and is paired with this computer now`)
		}
		return show(context, listed, await client.pairings())
	} finally {
		client.close()
	}
}

function show(context: Context, listed: readonly NodeInfo[], pairings: readonly Pairing[]): number {
	const paired = new Set(pairings.map((pairing) => pairing.nodeId))
	if (context.options.json) {
		context.printJson(listed.map((node) => ({ ...node, paired: paired.has(node.id) })))
		return EXIT.ok
	}
	if (listed.length === 0) {
		context.say('no machines yet: run "sally agent join …" on one, with the line that the page or "sally add" shows')
		return EXIT.ok
	}
	const nowMs = Date.now()
	const rows = [...listed]
		.sort((left, right) => left.name.localeCompare(right.name))
		.map((node) => [
			showText(node.name, 40),
			showStatus(node, nowMs),
			paired.has(node.id) ? 'yes' : 'no',
			node.stats === undefined ? '' : node.stats.load1.toFixed(2),
			node.stats === undefined ? '' : formatDuration(node.stats.uptime_s * 1000),
			node.latency_ms === undefined ? '' : `${Math.round(node.latency_ms)} ms`,
			node.id.slice(0, 12),
		])
	context.print(formatTable(['NAME', 'STATUS', 'PAIRED', 'LOAD', 'UP', 'LATENCY', 'ID'], rows))
	return EXIT.ok
}

const REASONS: Record<NodeOfflineReason, string> = {
	never_connected: 'never connected',
	lost: 'lost',
	stopped: 'stopped',
	revoked: 'revoked',
	relay_restarting: 'relay restarting',
	version_too_old: 'version too old',
}

function showStatus(node: NodeInfo, nowMs: number): string {
	if (node.connected) return 'online'
	const reason = node.offline_reason === undefined ? 'offline' : `offline: ${REASONS[node.offline_reason]}`
	return node.last_seen_at === undefined || node.offline_reason === 'never_connected'
		? reason
		: `${reason} ${formatAgo(node.last_seen_at, nowMs)}`
}
