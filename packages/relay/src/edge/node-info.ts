import type { NodeInfo, NodeOfflineReason } from '@sallyport/protocol'
import { userIdSchema } from '@sallyport/protocol'
import * as v from 'valibot'
import type { Access, NodeRecord } from '../control-plane.ts'
import type { PresenceEntry } from './presence.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

export interface Moment {
	readonly nowMs: number
	/** Until then nodes that were lately here are waited for: the relay has just started. */
	readonly holdUntilMs: number
	readonly startedAtMs: number
}

/** Until first-run set-up the local node has no owner, and there is nobody who could see it. */
const NO_OWNER = { id: v.parse(userIdSchema, 'no-owner'), username: '' }

/** A node as people see it: its record, with what the edge knows of it now. */
export function nodeInfo(node: NodeRecord, access: Access, entry: PresenceEntry | undefined, moment: Moment): NodeInfo {
	const isConnected = entry?.connection !== undefined
	const connectedAt = entry?.connectedAtMs ?? node.connectedAtMs
	const hostname = entry?.hello.hostname ?? node.hostname
	const os = entry?.hello.os ?? node.os
	const agentVersion = entry?.hello.agent_version ?? node.agentVersion
	const lastSeen = lastSeenMs(node, entry)
	return {
		id: node.id,
		name: node.name,
		owner: node.owner ?? NO_OWNER,
		created_at: node.createdAtMs,
		connected: isConnected,
		...(connectedAt === undefined ? {} : { connected_at: connectedAt }),
		...(lastSeen === undefined ? {} : { last_seen_at: lastSeen }),
		...(isConnected ? {} : { offline_reason: offlineReason(node, entry, moment) }),
		...(hostname === undefined ? {} : { hostname }),
		...(os === undefined ? {} : { os }),
		...(agentVersion === undefined ? {} : { agent_version: agentVersion }),
		...(entry?.latencyMs === undefined ? {} : { latency_ms: entry.latencyMs }),
		...(entry?.stats === undefined ? {} : { stats: entry.stats }),
		...(node.enrolTokenId === undefined ? {} : { enrol_token_id: node.enrolTokenId }),
		links: entry?.links ?? 0,
		access,
	}
}

/** Why a node that is not connected is not. */
export function offlineReason(node: NodeRecord, entry: PresenceEntry | undefined, moment: Moment): NodeOfflineReason {
	if (entry?.isTooOld === true) return 'version_too_old'
	if (entry === undefined && node.connectedAtMs === undefined) return 'never_connected'
	if (entry?.stoppedCleanly ?? node.stoppedCleanly) return 'stopped'
	if (entry === undefined && moment.nowMs < moment.holdUntilMs && wasLatelyHere(node, moment)) return 'relay_restarting'
	return 'lost'
}

/** A relay that was killed could not note when it last saw its nodes: then the last connection counts as lately. */
function wasLatelyHere(node: NodeRecord, moment: Moment): boolean {
	const [connected, seen] = [node.connectedAtMs ?? 0, node.lastSeenAtMs ?? 0]
	return seen <= connected || seen > moment.startedAtMs - HOUR_MS
}

/** What a person reads who wanted to open a node that is not there. */
export function offlineText(node: NodeRecord, entry: PresenceEntry | undefined, moment: Moment): string {
	const seen = lastSeenMs(node, entry)
	const ago = seen === undefined ? '' : ` ${agoText(moment.nowMs - seen)}`
	switch (offlineReason(node, entry, moment)) {
		case 'never_connected':
			return `${node.name} has never connected to this relay; start its agent with: sally agent start`
		case 'stopped':
			return `the agent of ${node.name} was stopped${ago}; start it there with: sally agent start`
		case 'version_too_old':
			return `the agent of ${node.name} speaks a version that this relay does not; upgrade it`
		case 'relay_restarting':
			return `the relay has just started and ${node.name} has not come back yet; try again in a few seconds`
		case 'lost':
			return `${node.name} lost its connection to the relay${ago}; it may be off or without network`
		case 'revoked':
			return `${node.name} was removed from this relay`
	}
}

function lastSeenMs(node: NodeRecord, entry: PresenceEntry | undefined): number | undefined {
	const seen = Math.max(entry?.lastSeenAtMs ?? 0, node.lastSeenAtMs ?? 0)
	return seen === 0 ? undefined : seen
}

function agoText(ms: number): string {
	if (ms < MINUTE_MS) return `${Math.max(1, Math.round(ms / 1000))} s ago`
	if (ms < HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min ago`
	if (ms < 48 * HOUR_MS) return `${Math.round(ms / HOUR_MS)} h ago`
	return `${Math.round(ms / (24 * HOUR_MS))} days ago`
}
