import type { NodeInfo, NodeOfflineReason } from '@sallyport/protocol'
import { formatAgo, formatDuration } from './format.ts'

export type NodeTone = 'online' | 'offline' | 'attention'

export interface NodeStatus {
	readonly tone: NodeTone
	readonly label: string
	/** The reason, for people: why it is so, or since when. */
	readonly detail: string
}

export function nodeStatus(node: NodeInfo, nowMs: number): NodeStatus {
	if (node.connected) {
		return {
			tone: 'online',
			label: 'Online',
			detail: node.connected_at === undefined ? '' : onlineFor(nowMs - node.connected_at),
		}
	}
	return offlineStatus(node, node.offline_reason ?? 'lost', nowMs)
}

/** No seconds: cards are not drawn again for each. */
function onlineFor(ms: number): string {
	return ms < 60_000 ? 'for less than a minute' : `for ${formatDuration(ms)}`
}

function offlineStatus(node: NodeInfo, reason: NodeOfflineReason, nowMs: number): NodeStatus {
	const when = node.last_seen_at === undefined ? '' : ` ${formatAgo(node.last_seen_at, nowMs)}`
	switch (reason) {
		case 'never_connected':
			return { tone: 'offline', label: 'Offline', detail: 'never connected' }
		case 'lost':
			return { tone: 'offline', label: 'Offline', detail: `connection lost${when}` }
		case 'stopped':
			return { tone: 'offline', label: 'Offline', detail: `agent stopped${when}` }
		case 'revoked':
			return { tone: 'attention', label: 'Revoked', detail: 'its token was revoked: join it again' }
		case 'relay_restarting':
			return { tone: 'attention', label: 'Reconnecting', detail: 'the relay has just restarted' }
		case 'version_too_old':
			return { tone: 'attention', label: 'Too old', detail: 'upgrade sally on this machine' }
	}
}

/** Machines whose name, host name, system or owner holds every word of the query. Online ones first, then by name. */
export function filterNodes(nodes: readonly NodeInfo[], query: string): readonly NodeInfo[] {
	const words = query.toLowerCase().split(/\s+/).filter(Boolean)
	return nodes
		.filter((node) => words.every((word) => searchText(node).includes(word)))
		.toSorted(
			(left, right) =>
				Number(right.connected) - Number(left.connected) || left.name.localeCompare(right.name, 'en', { numeric: true }),
		)
}

function searchText(node: NodeInfo): string {
	return [node.name, node.hostname, node.os, node.owner.username, node.connected ? 'online' : 'offline'].join('\n').toLowerCase()
}
