/** What the peer may still send, of one stream or of the link, as absolute offsets. */
export class ReceiveWindow {
	#received = 0
	#consumed = 0
	#granted: number
	#size: number
	#lastGrantMs = Number.NEGATIVE_INFINITY
	readonly #initial: number
	readonly #max: number
	readonly #reserve: number | undefined

	/** @param reserve for the link's window: what bulk can't use of it */
	constructor(initial: number, max: number, reserve?: number) {
		this.#reserve = reserve
		this.#initial = initial
		this.#max = max
		this.#size = initial
		this.#granted = initial
	}

	/** Bytes delivered to the application that it has not taken yet. */
	get unconsumed(): number {
		return this.#received - this.#consumed
	}

	get size(): number {
		return this.#size
	}

	/** A new connection must tell the peer: what was granted may have been lost with the old one, or never been said. */
	get isGrantUnsure(): boolean {
		return this.#granted > this.#initial || this.isGrantDue
	}

	/**
	 * A quarter of the window is free again: worth a message. Less often, and a long path would run dry meanwhile. On the
	 * link, streams left unread may hold most of the window: then what is left for others must come back sooner.
	 */
	get isGrantDue(): boolean {
		const freed = this.#consumed + this.#size - this.#granted
		if (freed * 4 >= this.#size) return true
		return this.#reserve !== undefined && freed > 0 && freed >= this.#granted - this.#received - this.#reserve
	}

	/** Counts what arrived; false, and nothing counted, if it's more than was granted. */
	receive(byteCount: number): boolean {
		if (this.#received + byteCount > this.#granted) return false
		this.#received += byteCount
		return true
	}

	consume(byteCount: number): void {
		if (byteCount < 0 || byteCount > this.unconsumed)
			throw new RangeError(`consumed ${byteCount} bytes of ${this.unconsumed} that were delivered`)
		this.#consumed += byteCount
	}

	/**
	 * The offset to tell the peer. The window doubles when a quarter of it was used up within a round trip, so that it
	 * follows the bandwidth-delay product; `roomBytes` bounds it, so that one stream can't take what others need.
	 */
	grant(nowMs: number, rttMs: number, roomBytes: number): number {
		if (nowMs - this.#lastGrantMs < rttMs) this.#size *= 2
		this.#size = Math.max(this.#initial, Math.min(this.#size, this.#max, roomBytes))
		this.#lastGrantMs = nowMs
		this.#granted = Math.max(this.#granted, this.#consumed + this.#size)
		return this.#granted
	}
}
