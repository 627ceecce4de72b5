/** An ack waits so long for company: an echo, a window update, more to ack. */
export const ACK_DELAY_MS = 10
const FIRST_THRESHOLD_BYTES = 32 * 1024
const MIN_THRESHOLD_BYTES = 8 * 1024
const MAX_THRESHOLD_BYTES = 1024 * 1024
/** More acks than one in so long help nobody. */
const MIN_SPACING_MS = 0.5
/** Time over which the peer's rate is taken: longer than a pacer takes to learn it, so that it never waits for us. */
const EPOCH_MS = 10

/**
 * Counts the sequenced bytes received and says when to ack them: at a threshold, at the latest after `ACK_DELAY_MS`.
 *
 * The threshold is what the peer sends in a sixth of a round trip. It begins at half of the least that a peer may have in
 * flight. If it is ever too high, the delay ends the wait, and the next epoch lowers it.
 */
export class Acker {
	#received = 0
	#acked = 0
	#threshold = FIRST_THRESHOLD_BYTES
	#dueAtMs: number | undefined
	#epochStartMs = 0
	#epochStartBytes = 0

	/** Offset after the last frame taken; always a frame boundary. */
	get received(): number {
		return this.#received
	}

	get dueAtMs(): number | undefined {
		return this.#dueAtMs
	}

	receive(byteCount: number, nowMs: number, rttMs: number): void {
		this.#measure(nowMs, rttMs)
		this.#received += byteCount
		this.#dueAtMs ??= nowMs + ACK_DELAY_MS
		if (this.#received - this.#acked >= this.#threshold) this.#dueAtMs = Math.min(this.#dueAtMs, nowMs)
	}

	isDue(nowMs: number): boolean {
		return this.#dueAtMs !== undefined && this.#dueAtMs <= nowMs
	}

	/** The offset to ack in a record that goes out now; undefined if the peer knows it already. */
	take(): number | undefined {
		if (this.#dueAtMs === undefined) return undefined
		this.#dueAtMs = undefined
		this.#acked = this.#received
		return this.#received
	}

	/** A resume has told the peer what was received. */
	restart(nowMs: number): void {
		this.#dueAtMs = undefined
		this.#acked = this.#received
		this.#threshold = FIRST_THRESHOLD_BYTES
		this.#startEpoch(nowMs)
	}

	#measure(nowMs: number, rttMs: number): void {
		const tookMs = nowMs - this.#epochStartMs
		if (tookMs < Math.max(EPOCH_MS, rttMs)) return
		const rate = (this.#received - this.#epochStartBytes) / tookMs
		const wanted = rate * Math.max(MIN_SPACING_MS, rttMs / 6)
		this.#threshold = Math.max(MIN_THRESHOLD_BYTES, Math.min(MAX_THRESHOLD_BYTES, wanted))
		this.#startEpoch(nowMs)
	}

	#startEpoch(nowMs: number): void {
		this.#epochStartMs = nowMs
		this.#epochStartBytes = this.#received
	}
}
