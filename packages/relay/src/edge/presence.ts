import type { CloseCode, NodeHello, NodeId, NodeStats } from '@sallyport/protocol'
import type { NodeRecord } from '../control-plane.ts'

/** An agent's live control socket, as the rest of the edge uses it. */
export interface NodeConnection {
	readonly nodeId: NodeId
	readonly record: NodeRecord
	/** The origin that this agent dialled and has pinned. */
	readonly origin: string
	readonly address: string
	dial(request: DialOrder): void
	close(close: CloseCode, reason?: string): void
}

export interface DialOrder {
	readonly linkTicket: string
	readonly user: { readonly id: NonNullable<NodeRecord['owner']>['id']; readonly name: string }
	readonly clientAddress: string
	readonly expiresAtMs: number
}

/** What the edge remembers of a node that it has seen since its start. */
export interface PresenceEntry {
	connection: NodeConnection | undefined
	hello: Pick<NodeHello, 'hostname' | 'os' | 'agent_version'>
	connectedAtMs: number
	lastSeenAtMs: number
	latencyMs: number | undefined
	stats: NodeStats | undefined
	links: number
	stoppedCleanly: boolean
	isTooOld: boolean
}

export interface PresenceOptions {
	readonly nowMs: () => number
	/** Something that people see of a node has changed. */
	readonly onChange: (nodeId: NodeId) => void
}

/** Which nodes are connected, and what is known of those that were. */
export class Presence {
	readonly #entries = new Map<NodeId, PresenceEntry>()
	readonly #waiting = new Map<NodeId, Set<() => void>>()
	readonly #options: PresenceOptions
	#connected = 0

	constructor(options: PresenceOptions) {
		this.#options = options
	}

	get connectedCount(): number {
		return this.#connected
	}

	connection(nodeId: NodeId): NodeConnection | undefined {
		return this.#entries.get(nodeId)?.connection
	}

	entry(nodeId: NodeId): PresenceEntry | undefined {
		return this.#entries.get(nodeId)
	}

	/** Puts a proven node in place and gives back the connection that it replaces, if any. */
	connect(connection: NodeConnection, hello: PresenceEntry['hello']): NodeConnection | undefined {
		const before = this.#entries.get(connection.nodeId)
		const now = this.#options.nowMs()
		this.#entries.set(connection.nodeId, {
			connection,
			hello,
			connectedAtMs: now,
			lastSeenAtMs: now,
			latencyMs: before?.latencyMs,
			stats: before?.stats,
			links: before?.links ?? 0,
			stoppedCleanly: false,
			isTooOld: false,
		})
		if (before?.connection === undefined) this.#connected++
		this.#options.onChange(connection.nodeId)
		for (const wake of this.#waiting.get(connection.nodeId) ?? []) wake()
		return before?.connection
	}

	/** False when another connection has taken this one's place: then the node is still there. */
	disconnect(connection: NodeConnection, stoppedCleanly: boolean): boolean {
		const entry = this.#entries.get(connection.nodeId)
		if (entry === undefined || entry.connection !== connection) return false
		entry.connection = undefined
		entry.lastSeenAtMs = this.#options.nowMs()
		entry.stoppedCleanly = stoppedCleanly
		entry.latencyMs = undefined
		this.#connected--
		this.#options.onChange(connection.nodeId)
		return true
	}

	/** Notes what a connected node told or what was measured of it. */
	update(connection: NodeConnection, change: Partial<Pick<PresenceEntry, 'stats' | 'latencyMs'>>): void {
		const entry = this.#entries.get(connection.nodeId)
		if (entry?.connection !== connection) return
		Object.assign(entry, change)
		entry.lastSeenAtMs = this.#options.nowMs()
		this.#options.onChange(connection.nodeId)
	}

	countLink(nodeId: NodeId, change: 1 | -1): void {
		const entry = this.#entries.get(nodeId)
		if (entry === undefined) return
		entry.links += change
		this.#options.onChange(nodeId)
	}

	/** A proven node whose version is not spoken here. */
	noteTooOld(nodeId: NodeId, hello: PresenceEntry['hello']): void {
		const before = this.#entries.get(nodeId)
		if (before?.connection !== undefined) return
		const now = this.#options.nowMs()
		this.#entries.set(nodeId, {
			connection: undefined,
			hello,
			connectedAtMs: before?.connectedAtMs ?? now,
			lastSeenAtMs: now,
			latencyMs: undefined,
			stats: before?.stats,
			links: before?.links ?? 0,
			stoppedCleanly: false,
			isTooOld: true,
		})
		this.#options.onChange(nodeId)
	}

	/** The node is no more. */
	forget(nodeId: NodeId, close: CloseCode): void {
		const entry = this.#entries.get(nodeId)
		this.#entries.delete(nodeId)
		if (entry?.connection === undefined) return
		this.#connected--
		entry.connection.close(close)
	}

	/** The connection as soon as there is one, or nothing once the time is over or `signal` fires. */
	waitFor(nodeId: NodeId, timeoutMs: number, signal: AbortSignal): Promise<NodeConnection | undefined> {
		const present = this.connection(nodeId)
		if (present !== undefined || timeoutMs <= 0 || signal.aborted) return Promise.resolve(present)
		return new Promise((resolve) => {
			const waiting = this.#waiting.get(nodeId) ?? new Set()
			this.#waiting.set(nodeId, waiting)
			const done = (): void => {
				clearTimeout(timer)
				signal.removeEventListener('abort', done)
				waiting.delete(done)
				if (waiting.size === 0) this.#waiting.delete(nodeId)
				resolve(this.connection(nodeId))
			}
			const timer = setTimeout(done, timeoutMs)
			signal.addEventListener('abort', done, { once: true })
			waiting.add(done)
		})
	}

	close(close: CloseCode): void {
		for (const entry of this.#entries.values()) entry.connection?.close(close)
	}
}
