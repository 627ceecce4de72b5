import { randomBytes } from 'node:crypto'
import type { NodeId } from '@sallyport/protocol'

/** Readers are woken at most this often: a node that changes all the time shows twice a second. */
const WAKE_MS = 500

/** What a reader at some offset has missed. */
export type Missed =
	| { readonly kind: 'nothing' }
	| { readonly kind: 'nodes'; readonly ids: ReadonlySet<NodeId> }
	/** Nodes came, went or changed hands, or the offset is of another life of this relay: only all of it will do. */
	| { readonly kind: 'all' }

/**
 * Which nodes changed after which offset. It keeps the last change of each node and no history, so that its size is that
 * of the nodes; what a change *is* each reader looks up when it gets there.
 */
export class NodeFeed {
	readonly #epoch = randomBytes(6).toString('hex')
	readonly #changedAt = new Map<NodeId, number>()
	readonly #readers = new Set<() => void>()
	#seq = 0
	/** Last change of which nodes there are, or whose. */
	#structureSeq = 0
	#wakeTimer: NodeJS.Timeout | undefined
	#lastWakeMs = Number.NEGATIVE_INFINITY

	/** The end of the feed now. Sorts as text. */
	get offset(): string {
		return `${this.#epoch}_${String(this.#seq).padStart(16, '0')}`
	}

	/** Something that people see of a node changed. */
	touch(nodeId: NodeId): void {
		this.#changedAt.set(nodeId, ++this.#seq)
		this.#scheduleWake()
	}

	/** A node came, went, was renamed or changed hands. */
	restructure(nodeId: NodeId): void {
		this.#structureSeq = ++this.#seq
		this.#changedAt.delete(nodeId)
		this.#scheduleWake()
	}

	missedSince(offset: string): Missed {
		const seq = this.#seqOf(offset)
		if (seq === undefined || seq < this.#structureSeq) return { kind: 'all' }
		if (seq === this.#seq) return { kind: 'nothing' }
		const ids = [...this.#changedAt].filter(([, changedAt]) => changedAt > seq).map(([id]) => id)
		return { kind: 'nodes', ids: new Set(ids) }
	}

	/** Calls back at most twice a second, after changes. Returns the unsubscribe. */
	onChange(reader: () => void): () => void {
		this.#readers.add(reader)
		return () => this.#readers.delete(reader)
	}

	close(): void {
		clearTimeout(this.#wakeTimer)
		this.#readers.clear()
	}

	#seqOf(offset: string): number | undefined {
		const [epoch, digits] = offset.split('_')
		if (epoch !== this.#epoch || digits === undefined || !/^\d{16}$/.test(digits)) return undefined
		const seq = Number(digits)
		return seq <= this.#seq ? seq : undefined
	}

	#scheduleWake(): void {
		if (this.#wakeTimer !== undefined || this.#readers.size === 0) return
		const waitMs = Math.max(0, this.#lastWakeMs + WAKE_MS - performance.now())
		this.#wakeTimer = setTimeout(() => {
			this.#wakeTimer = undefined
			this.#lastWakeMs = performance.now()
			for (const reader of [...this.#readers]) reader()
		}, waitMs)
	}
}
