/** Frames between a command and the background process: `type u8 | length u32 BE | payload`. */
export const LOCAL_FRAME = {
	/** Command to process: input; process to command: output. */
	data: 1,
	/** Process to command: the remote program's standard error. */
	errorData: 2,
	/** No more data comes from this side. */
	end: 3,
	/** A `LocalEvent` or `LocalControl`. */
	json: 4,
} as const

export const LOCAL_FRAME_HEADER_BYTES = 5
/** Larger data goes in several. */
const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024

export interface LocalFrame {
	readonly type: number
	readonly payload: Uint8Array
}

export function localFrameHeader(type: number, length: number): Buffer {
	const header = Buffer.allocUnsafe(LOCAL_FRAME_HEADER_BYTES)
	header[0] = type
	header.writeUInt32BE(length, 1)
	return header
}

/** Splits a byte stream into frames, in any chunking. Payloads are views of the chunks where they can be. */
export class LocalFrameReader {
	#parts: Uint8Array[] = []
	#length = 0

	/** Throws `RangeError` for a frame that nobody of ours sends. */
	push(chunk: Uint8Array): readonly LocalFrame[] {
		const bytes = this.#parts.length === 0 ? chunk : Buffer.concat([...this.#parts, chunk])
		this.#parts = []
		this.#length = 0
		const frames: LocalFrame[] = []
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
		let offset = 0
		while (bytes.length - offset >= LOCAL_FRAME_HEADER_BYTES) {
			const length = view.getUint32(offset + 1)
			if (length > MAX_PAYLOAD_BYTES) throw new RangeError(`local frame of ${length} bytes exceeds ${MAX_PAYLOAD_BYTES}`)
			const start = offset + LOCAL_FRAME_HEADER_BYTES
			if (bytes.length - start < length) break
			frames.push({ type: bytes[offset] ?? 0, payload: bytes.subarray(start, start + length) })
			offset = start + length
		}
		if (offset < bytes.length) {
			this.#parts = [bytes.subarray(offset)]
			this.#length = bytes.length - offset
		}
		return frames
	}

	/** Bytes of a frame that is not whole yet. */
	get waitingBytes(): number {
		return this.#length
	}
}
