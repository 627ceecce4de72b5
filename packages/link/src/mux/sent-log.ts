import { LIMITS, readUint32 } from '@sallyport/protocol'
import { Deque } from './deque.ts'

/** What an entry costs besides its buffer; an estimate, so that many small records count for what they take. */
const ENTRY_OVERHEAD_BYTES = 192

export interface SentEntry {
	/** The sequenced frames of one record: a view into its plaintext. */
	frames: Uint8Array
	/** Offset of the byte after `frames`. */
	readonly end: number
	readonly isPadded: boolean
	readonly retainedBytes: number
}

/**
 * The sequenced frames that were sent and that the peer hasn't acked, kept for replay.
 *
 * ```
 * 0 ....... acked ........ transmitted ........ sent
 *   freed         in flight on     to be replayed on
 *                 this connection  this connection
 * ```
 * Without a resume under way, transmitted = sent.
 */
export class SentLog {
	readonly #entries = new Deque<SentEntry>()
	/** Entries from the head that this connection has carried. */
	#carried = 0
	#acked = 0
	#transmitted = 0
	#sent = 0
	#retainedBytes = 0

	get acked(): number {
		return this.#acked
	}

	get sent(): number {
		return this.#sent
	}

	/** Sent on this connection and not acked. */
	get inFlight(): number {
		return this.#transmitted - this.#acked
	}

	get isReplaying(): boolean {
		return this.#transmitted < this.#sent
	}

	/** Memory that the log holds, buffers counted whole. */
	get retainedBytes(): number {
		return this.#retainedBytes
	}

	append(frames: Uint8Array, isPadded: boolean): void {
		if (this.isReplaying) throw new Error('new frames must wait until the replay is done')
		const retainedBytes = frames.buffer.byteLength + ENTRY_OVERHEAD_BYTES
		this.#sent += frames.length
		this.#transmitted = this.#sent
		this.#retainedBytes += retainedBytes
		this.#entries.push({ frames, end: this.#sent, isPadded, retainedBytes })
		this.#carried++
	}

	/** Frees what the peer has. False if the offset can't be: the log is unchanged then. */
	ack(received: number): boolean {
		if (received < this.#acked || received > this.#transmitted) return false
		return this.#free(received)
	}

	/** Begins a new connection, whose peer has received that much. False if that can't be. */
	rewind(received: number): boolean {
		if (received < this.#acked || received > this.#sent || !this.#free(received)) return false
		this.#carried = 0
		this.#transmitted = received
		return true
	}

	/** The entry that is to be replayed next. */
	peekReplay(): SentEntry | undefined {
		return this.#entries.at(this.#carried)
	}

	replayed(entry: SentEntry): void {
		this.#carried++
		this.#transmitted = entry.end
	}

	#free(received: number): boolean {
		let count = 0
		let entry = this.#entries.at(0)
		while (entry !== undefined && entry.end <= received) entry = this.#entries.at(++count)
		const start = entry === undefined ? this.#sent : entry.end - entry.frames.length
		const skip = Math.max(0, received - start)
		if (entry !== undefined && !isFrameBoundary(entry.frames, skip)) return false
		for (; count > 0; count--) {
			this.#retainedBytes -= this.#entries.shift()?.retainedBytes ?? 0
			this.#carried--
		}
		if (entry !== undefined) entry.frames = entry.frames.subarray(skip)
		this.#acked = received
		return true
	}
}

function isFrameBoundary(frames: Uint8Array, offset: number): boolean {
	let boundary = 0
	while (boundary < offset) boundary += LIMITS.frameHeaderBytes + readUint32(frames, boundary + 1)
	return boundary === offset
}
