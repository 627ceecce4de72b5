/** An ack waits so long for company: an echo, a window update, more to ack. */
export const ACK_DELAY_MS = 10
const MIN_THRESHOLD_BYTES = 32 * 1024
const MAX_THRESHOLD_BYTES = 1024 * 1024

/**
 * Counts the sequenced bytes received and says when to ack them: at a threshold, at the latest after `ACK_DELAY_MS`.
 *
 * The threshold follows the peer's rate towards two to four acks a round trip. It starts at half of the least that a
 * peer may have in flight, so that a paced peer never waits for the delay.
 */
export class Acker {
	#received = 0
	#acked = 0
	#threshold = MIN_THRESHOLD_BYTES
	#dueAtMs: number | undefined
	#lastThresholdMs = Number.NEGATIVE_INFINITY

	/** Offset after the last frame taken; always a frame boundary. */
	get received(): number {
		return this.#received
	}

	get dueAtMs(): number | undefined {
		return this.#dueAtMs
	}

	receive(byteCount: number, nowMs: number, rttMs: number): void {
		this.#received += byteCount
		this.#dueAtMs ??= nowMs + ACK_DELAY_MS
		if (this.#received - this.#acked < this.#threshold || this.#dueAtMs <= nowMs) return
		const tookMs = nowMs - this.#lastThresholdMs
		this.#lastThresholdMs = nowMs
		this.#dueAtMs = nowMs
		if (tookMs < rttMs / 4) this.#threshold = Math.min(MAX_THRESHOLD_BYTES, this.#threshold * 2)
		else if (tookMs > rttMs / 2) this.#lower()
	}

	isDue(nowMs: number): boolean {
		return this.#dueAtMs !== undefined && this.#dueAtMs <= nowMs
	}

	/** The offset to ack in a record that goes out now; undefined if the peer knows it already. */
	take(nowMs: number): number | undefined {
		if (this.#dueAtMs === undefined) return undefined
		// Due by the delay, not by the threshold: the peer sends less than was thought.
		if (this.#dueAtMs <= nowMs && this.#received - this.#acked < this.#threshold) this.#lower()
		this.#dueAtMs = undefined
		this.#acked = this.#received
		return this.#received
	}

	/** A resume has told the peer what was received. */
	restart(): void {
		this.#dueAtMs = undefined
		this.#acked = this.#received
		this.#threshold = MIN_THRESHOLD_BYTES
		this.#lastThresholdMs = Number.NEGATIVE_INFINITY
	}

	#lower(): void {
		this.#threshold = Math.max(MIN_THRESHOLD_BYTES, this.#threshold / 2)
	}
}
