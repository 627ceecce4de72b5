import type { ApiErrorCode, CloseName, NodeId, RelayId, Scope, UserId, UserInfo } from '@sallyport/protocol'

/** Who a request or socket speaks for. A socket lives as long as the credential behind it. */
export interface Principal {
	readonly kind: 'web' | 'cli' | 'pat'
	readonly user: UserInfo
	readonly scopes: readonly Scope[]
	/** Id of the sign-in, access session or PAT that this stands on: what a revocation names. */
	readonly credentialId: string
	/** Absolute end of that credential, ms. */
	readonly expiresAtMs: number
}

/** A node as the relay's database knows it. */
export interface NodeRecord {
	readonly id: NodeId
	readonly name: string
	readonly identityKey: Uint8Array
	/** Absent for the local node until first-run set-up. */
	readonly owner?: { readonly id: UserId; readonly username: string }
	readonly createdAtMs: number
	readonly connectedAtMs?: number
	readonly lastSeenAtMs?: number
	readonly hostname?: string
	readonly os?: string
	readonly agentVersion?: string
	readonly enrolTokenId?: string
	/** The last stop was announced by the agent. */
	readonly stoppedCleanly: boolean
}

export type Access = 'view' | 'use' | 'admin'

export type Refusal = {
	readonly ok: false
	readonly close: CloseName
	readonly api: ApiErrorCode
	readonly reason: string
	readonly retryAfterMs?: number
}
export type Decision<T> = { readonly ok: true; readonly value: T } | Refusal

/** What was revoked, so that sockets and caches that stand on it can go. */
export type Revocation =
	| { readonly kind: 'credential'; readonly id: string }
	| { readonly kind: 'user'; readonly id: UserId }
	| { readonly kind: 'node'; readonly id: NodeId }

/**
 * Everything the edge asks of identity and access: the one door between them, so that an edge can run in another
 * process. A database that can't be reached is a refusal (`unavailable`), never an entry.
 */
export interface ControlPlane {
	readonly relayId: RelayId
	/** Any bearer token, of any kind that may speak on HTTP or in a hello. */
	authenticate(token: string): Promise<Decision<Principal>>
	/** One use: the second call with the same ticket is refused. */
	redeemPageTicket(ticket: string): Promise<Decision<Principal>>
	/** Counts a hello of an address before authentication; give it back after success. */
	admitHello(address: string): Promise<Decision<{ giveBack(): Promise<void> }>>
	/** Door one: may this principal knock at this node, now? Counts the user's new links. Unknown and foreign look alike. */
	authorizeOpen(principal: Principal, nodeId: NodeId): Promise<Decision<NodeRecord>>
	/** For the node's challenge; revoked nodes are absent. */
	findNode(nodeId: NodeId): Promise<NodeRecord | undefined>
	markNodeConnected(
		nodeId: NodeId,
		hello: { readonly hostname: string; readonly os: string; readonly agentVersion: string },
	): Promise<void>
	markNodeDisconnected(nodeId: NodeId, stoppedCleanly: boolean): Promise<void>
	/** The nodes that this principal may see, each with what it may do there. */
	visibleNodes(principal: Principal): Promise<readonly { readonly node: NodeRecord; readonly access: Access }[]>
	/** Calls back for every revocation, within 1 s of it. Returns the unsubscribe. */
	onRevocation(listener: (revocation: Revocation) => void): () => void
	/** Calls back when a node was enrolled, renamed, given an owner or removed. Returns the unsubscribe. */
	onNodeChange(listener: (nodeId: NodeId) => void): () => void
}
