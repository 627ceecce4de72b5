import type { ConnectionInfo, NodeId, NodeInfo } from '@sallyport/protocol'
import type { Access, NodeRecord, Principal } from './control-plane.ts'

/** Figures of the edge since it started. */
export interface EdgeTotals {
	readonly nodesConnected: number
	readonly linksOpen: number
	readonly bytesToNodes: number
	readonly bytesToClients: number
	readonly startedAtMs: number
}

/** What the HTTP interface asks of the edge: who is connected now. Visibility is the caller's, but for `streamNodes`. */
export interface EdgeView {
	/** A node as people see it: its record with what the edge knows of it now. */
	nodeInfo(node: NodeRecord, access: Access): NodeInfo
	/** Every link open now. */
	connections(): readonly LiveConnection[]
	/** Cuts a link on both sides; false when there is none of that id. */
	closeConnection(id: string): boolean
	totals(): EdgeTotals
	/** Where `streamNodes` goes on from what `nodeInfo` says now. Take it before reading the nodes. */
	streamOffset(): string
	/** Answers `GET /v1/streams/nodes` for a principal that may read nodes; the stream ends with its credential. */
	streamNodes(principal: Principal, request: Request): Promise<Response>
}

export interface LiveConnection {
	readonly info: ConnectionInfo
	readonly nodeId: NodeId
	/** Absent until first-run set-up. */
	readonly nodeOwnerId: string | undefined
}
