import { DATA_FRAME_OVERHEAD, FRAME, LIMITS } from '@sallyport/protocol'
import type { SendQueue } from './send-queue.ts'

const FIRST_BYTES = 256
/** Room kept in every record for an `ack` and a `ping` that travel along. */
export const TRAILER_BYTES = 128

/** Fills one record's plaintext with frames. The buffer grows once it must; what a bulk record needs is one step. */
export class RecordWriter {
	#buffer = new Uint8Array(0)
	#length = 0
	#sequencedStart = 0

	get length(): number {
		return this.#length
	}

	/** Bytes left, frame headers included. */
	get room(): number {
		return LIMITS.recordPlaintextBytes - this.#length
	}

	/** What is written from here on is sequenced, until `sequencedRange` is read. */
	markSequenced(): void {
		this.#sequencedStart = this.#length
	}

	get sequencedBytes(): number {
		return this.#length - this.#sequencedStart
	}

	sequencedRange(): { readonly start: number; readonly end: number } {
		return { start: this.#sequencedStart, end: this.#length }
	}

	/** Whether a control frame fits, the trailer besides. */
	fitsControl(json: Uint8Array): boolean {
		return LIMITS.frameHeaderBytes + json.length + TRAILER_BYTES <= this.room
	}

	control(json: Uint8Array): void {
		this.#header(FRAME.control, json.length)
		this.#buffer.set(json, this.#length)
		this.#length += json.length
	}

	/** Moves `length` bytes from the queue into a data frame; the fd, if there is one, takes a byte more. */
	data(streamId: number, queue: SendQueue, content: { readonly fd: number | undefined; readonly length: number }): void {
		const fdBytes = content.fd === undefined ? 0 : 1
		this.#header(FRAME.data, DATA_FRAME_OVERHEAD - LIMITS.frameHeaderBytes + fdBytes + content.length)
		this.#uint32(streamId)
		if (content.fd !== undefined) this.#buffer[this.#length++] = content.fd
		queue.takeData(this.#buffer, this.#length, content.length)
		this.#length += content.length
	}

	frames(frames: Uint8Array): void {
		this.reserve(frames.length)
		this.#buffer.set(frames, this.#length)
		this.#length += frames.length
	}

	/** Makes room for that many bytes more in one step. */
	reserve(byteCount: number): void {
		const needed = this.#length + byteCount
		if (needed <= this.#buffer.length) return
		const size = needed <= FIRST_BYTES ? FIRST_BYTES : Math.max(needed + FIRST_BYTES, this.#buffer.length * 2)
		const grown = new Uint8Array(Math.min(LIMITS.recordPlaintextBytes, size))
		grown.set(this.#buffer.subarray(0, this.#length))
		this.#buffer = grown
	}

	/** Hides the length of small records: fills up to a multiple of `paddingBytes`, if the record has the room. */
	pad(): void {
		const { paddingBytes, frameHeaderBytes } = LIMITS
		let padding = (paddingBytes - (this.#length % paddingBytes)) % paddingBytes
		if (padding === 0) return
		if (padding < frameHeaderBytes) padding += paddingBytes
		if (padding > this.room) return
		this.#header(FRAME.padding, padding - frameHeaderBytes)
		this.#length += padding - frameHeaderBytes
	}

	view(start: number, end: number): Uint8Array {
		return this.#buffer.subarray(start, end)
	}

	#header(protocol: number, payloadBytes: number): void {
		this.reserve(LIMITS.frameHeaderBytes + payloadBytes)
		this.#buffer[this.#length++] = protocol
		this.#uint32(payloadBytes)
	}

	#uint32(value: number): void {
		this.#buffer[this.#length] = value >>> 24
		this.#buffer[this.#length + 1] = value >>> 16
		this.#buffer[this.#length + 2] = value >>> 8
		this.#buffer[this.#length + 3] = value
		this.#length += 4
	}
}
