/**
 * Frames: the units inside a record's plaintext. `protocol u8 | payload length u32 BE | payload`; a frame never spans
 * records.
 *
 * | protocol | payload | sequenced |
 * |---|---|---|
 * | 0 Control | JSON message of `link-messages.ts`, 16 KiB | yes, but for `UNSEQUENCED_OPS` |
 * | 1 Data | `stream id u32 BE`, bytes (`exec`: an `fd u8` first) | yes |
 * | 2 Padding | zeros, last in a record | no |
 */
import { readUint32 } from './bytes.ts'
import { LIMITS } from './limits.ts'
import type { Result } from './result.ts'
import { fault, ok } from './result.ts'

export const FRAME = { control: 0, data: 1, padding: 2 } as const
const HEADER = LIMITS.frameHeaderBytes
const STREAM_ID_BYTES = 4

export type Frame =
	| { readonly kind: 'control'; readonly json: Uint8Array }
	| { readonly kind: 'data'; readonly streamId: number; readonly bytes: Uint8Array }
	| { readonly kind: 'padding' }

/** Bytes that a data frame takes on top of its content. */
export const DATA_FRAME_OVERHEAD: number = HEADER + STREAM_ID_BYTES

export function encodeControlFrame(json: Uint8Array): Uint8Array {
	if (json.length > LIMITS.controlFrameBytes)
		throw new RangeError(`control frame of ${json.length} bytes exceeds ${LIMITS.controlFrameBytes}`)
	const frame = withHeader(FRAME.control, json.length)
	frame.set(json, HEADER)
	return frame
}

export function encodeDataFrame(streamId: number, bytes: Uint8Array): Uint8Array {
	const frame = withHeader(FRAME.data, STREAM_ID_BYTES + bytes.length)
	writeUint32(frame, HEADER, streamId)
	frame.set(bytes, DATA_FRAME_OVERHEAD)
	return frame
}

/** A padding frame of exactly `totalBytes`, its header included; 5 is the least. */
export function encodePaddingFrame(totalBytes: number): Uint8Array {
	return withHeader(FRAME.padding, totalBytes - HEADER)
}

/**
 * Splits a record's plaintext into frames. Contents are views into `plaintext`, valid as long as it is.
 * A frame of a protocol that no feature named is fatal to the connection.
 */
export function decodeFrames(plaintext: Uint8Array): Result<readonly Frame[]> {
	if (plaintext.length > LIMITS.recordPlaintextBytes) {
		return fault('FRAME_TOO_LARGE', `record of ${plaintext.length} bytes exceeds ${LIMITS.recordPlaintextBytes}`)
	}
	const frames: Frame[] = []
	let offset = 0
	while (offset < plaintext.length) {
		if (plaintext.length - offset < HEADER) return fault('FRAME_INVALID', 'record ends inside a frame header')
		const protocol = plaintext[offset]
		const length = readUint32(plaintext, offset + 1)
		const start = offset + HEADER
		if (length > plaintext.length - start) return fault('FRAME_INVALID', `frame of ${length} bytes is longer than its record`)
		const frame = decodePayload(protocol, plaintext.subarray(start, start + length))
		if (!frame.ok) return frame
		frames.push(frame.value)
		offset = start + length
		if (frame.value.kind === 'padding' && offset < plaintext.length)
			return fault('FRAME_INVALID', 'padding is not last in its record')
	}
	return ok(frames)
}

function decodePayload(protocol: number | undefined, payload: Uint8Array): Result<Frame> {
	switch (protocol) {
		case FRAME.control:
			if (payload.length > LIMITS.controlFrameBytes) {
				return fault('FRAME_TOO_LARGE', `control frame of ${payload.length} bytes exceeds ${LIMITS.controlFrameBytes}`)
			}
			return ok({ kind: 'control', json: payload })
		case FRAME.data:
			if (payload.length < STREAM_ID_BYTES) return fault('FRAME_INVALID', 'data frame has no stream id')
			return ok({ kind: 'data', streamId: readUint32(payload, 0), bytes: payload.subarray(STREAM_ID_BYTES) })
		case FRAME.padding:
			return ok({ kind: 'padding' })
		default:
			return fault('FRAME_PROTOCOL_UNKNOWN', `frame protocol ${protocol} is not known`)
	}
}

function withHeader(protocol: number, payloadLength: number): Uint8Array {
	const frame = new Uint8Array(HEADER + payloadLength)
	frame[0] = protocol
	writeUint32(frame, 1, payloadLength)
	return frame
}

function writeUint32(into: Uint8Array, offset: number, value: number): void {
	into[offset] = value >>> 24
	into[offset + 1] = value >>> 16
	into[offset + 2] = value >>> 8
	into[offset + 3] = value
}
