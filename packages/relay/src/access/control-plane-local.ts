/** Identity and access in the same process as the edge. */
import type { RelayId } from '@sallyport/protocol'
import { nodeIdSchema, userIdSchema } from '@sallyport/protocol'
import * as v from 'valibot'
import type { ControlPlane, Decision, NodeRecord, Principal, Refusal, Revocation } from '../control-plane.ts'
import type { Authenticated, Authenticator } from '../identity/authenticate.ts'
import { CREDENTIAL_REFUSED, orUnavailable } from '../identity/authenticate.ts'
import type { ControlEvent } from '../store/events.ts'
import type { Store } from '../store/store.ts'
import type { EventFeed } from './event-feed.ts'
import type { Limits } from './limits.ts'

export interface ControlPlaneDeps {
	readonly relayId: RelayId
	readonly store: Store
	readonly authenticator: Authenticator
	readonly limits: Limits
	readonly events: EventFeed
}

export function createControlPlane({ relayId, store, authenticator, limits, events }: ControlPlaneDeps): ControlPlane {
	return {
		relayId,
		authenticate: async (token) => withoutEpoch(await authenticator.authenticate(token)),
		redeemPageTicket: async (ticket) => withoutEpoch(await authenticator.redeemPageTicket(ticket)),
		admitHello: (address) => limits.hello(address),
		authorizeOpen: (principal, nodeId) =>
			orUnavailable(async () => {
				if (!principal.scopes.includes('nodes:open')) return SCOPE_MISSING
				if (!(await store.credentials.isLive(principal.kind, principal.credentialId))) return CREDENTIAL_REFUSED
				const node = await store.nodes.find(nodeId)
				const granted = node !== undefined && accessTo(node, principal) !== undefined ? node : undefined
				const counted = await limits.newLink(principal.user.id, granted === undefined)
				if (!counted.ok) return counted
				return granted === undefined ? NODE_NOT_FOUND : { ok: true, value: granted }
			}),
		findNode: (nodeId) => store.nodes.find(nodeId),
		markNodeConnected: (nodeId, hello) => store.nodes.markConnected(nodeId, hello),
		markNodeDisconnected: (nodeId, stoppedCleanly) => store.nodes.markDisconnected(nodeId, stoppedCleanly),
		async visibleNodes(principal) {
			const nodes = await store.nodes.listOf(principal.user.id)
			return nodes.map((node) => ({ node, access: 'admin' as const }))
		},
		onRevocation: (listener) =>
			events.onEvent((event) => {
				const revocation = toRevocation(event)
				if (revocation !== undefined) listener(revocation)
			}),
		onNodeChange: (listener) =>
			events.onEvent((event) => {
				if (event.kind === 'node_changed') listener(v.parse(nodeIdSchema, event.subject))
			}),
	}
}

const SCOPE_MISSING: Refusal = {
	ok: false,
	close: 'forbidden',
	api: 'forbidden',
	reason: 'this token lacks the scope nodes:open: make one that has it, or sign in',
}

/** One answer for nodes that don't exist and those of others, so that ids can't be tried out. */
export const NODE_NOT_FOUND: Refusal = {
	ok: false,
	close: 'not_found',
	api: 'not_found',
	reason: 'there is no such machine, or it is not shared with you',
}

/** What a principal may do with a node; undefined: not even know of it. */
export function accessTo(node: NodeRecord, principal: Principal): 'admin' | undefined {
	return node.owner?.id === principal.user.id ? 'admin' : undefined
}

function toRevocation(event: ControlEvent): Revocation | undefined {
	switch (event.kind) {
		case 'credential':
			return { kind: 'credential', id: event.subject }
		case 'user':
			return { kind: 'user', id: v.parse(userIdSchema, event.subject) }
		case 'node':
			return { kind: 'node', id: v.parse(nodeIdSchema, event.subject) }
		case 'node_changed':
			return undefined
	}
}

/** The epoch is identity's own business and doesn't leave it. */
function withoutEpoch(decision: Decision<Authenticated>): Decision<Principal> {
	if (!decision.ok) return decision
	const { epoch: _epoch, ...principal } = decision.value
	return { ok: true, value: principal }
}
