import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes } from './bytes.ts'
import type { Frame } from './frame.ts'
import { DATA_FRAME_OVERHEAD, decodeFrames, encodeControlFrame, encodeDataFrame, encodePaddingFrame } from './frame.ts'
import { LIMITS } from './limits.ts'

const frame: fc.Arbitrary<Frame> = fc.oneof(
	fc.record({ kind: fc.constant('control' as const), json: fc.uint8Array({ maxLength: 60 }) }),
	fc.record({
		kind: fc.constant('data' as const),
		streamId: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
		bytes: fc.uint8Array({ maxLength: 60 }),
	}),
)

function encode(frame: Frame): Uint8Array {
	switch (frame.kind) {
		case 'control':
			return encodeControlFrame(frame.json)
		case 'data':
			return encodeDataFrame(frame.streamId, frame.bytes)
		case 'padding':
			return encodePaddingFrame(5)
	}
}

/** Slow and obvious: written from the table in `frame.ts`. */
function oracle(record: Buffer): readonly (readonly [number, string])[] {
	const frames: [number, string][] = []
	let rest = record
	while (rest.length > 0) {
		const length = rest.readUInt32BE(1)
		frames.push([rest.readUInt8(0), rest.subarray(5, 5 + length).toString('hex')])
		rest = rest.subarray(5 + length)
	}
	return frames
}

describe('frames', () => {
	it('have the layout of the table', () => {
		expect(encodeControlFrame(Uint8Array.of(0x7b, 0x7d))).toEqual(Uint8Array.of(0, 0, 0, 0, 2, 0x7b, 0x7d))
		expect(encodeDataFrame(0x80000001, Uint8Array.of(9))).toEqual(Uint8Array.of(1, 0, 0, 0, 5, 0x80, 0, 0, 1, 9))
		expect(encodePaddingFrame(7)).toEqual(Uint8Array.of(2, 0, 0, 0, 2, 0, 0))
		expect(DATA_FRAME_OVERHEAD).toBe(9)
	})

	it('come back from a record that holds several, padding last', () => {
		fc.assert(
			fc.property(
				fc.array(frame, { maxLength: 6 }),
				fc.integer({ min: 5, max: 64 }),
				fc.boolean(),
				(frames, padding, isPadded) => {
					const record = concatBytes([...frames.map(encode), ...(isPadded ? [encodePaddingFrame(padding)] : [])])
					const expected: readonly Frame[] = isPadded ? [...frames, { kind: 'padding' }] : frames
					expect(decodeFrames(record)).toEqual({ ok: true, value: expected })
					expect(oracle(Buffer.from(record))).toHaveLength(expected.length)
				},
			),
		)
	})

	it.each([
		['a header cut short', Uint8Array.of(0, 0, 0, 0), 'FRAME_INVALID'],
		['a payload cut short', Uint8Array.of(0, 0, 0, 0, 2, 1), 'FRAME_INVALID'],
		['the largest length there is', Uint8Array.of(1, 255, 255, 255, 255, 0), 'FRAME_INVALID'],
		['a data frame without its stream id', Uint8Array.of(1, 0, 0, 0, 3, 0, 0, 0), 'FRAME_INVALID'],
		[
			'padding before another frame',
			concatBytes([encodePaddingFrame(5), encodeControlFrame(new Uint8Array(0))]),
			'FRAME_INVALID',
		],
		['a protocol that no feature named', Uint8Array.of(3, 0, 0, 0, 0), 'FRAME_PROTOCOL_UNKNOWN'],
		['a control frame above 16 KiB', record(0, LIMITS.controlFrameBytes + 1), 'FRAME_TOO_LARGE'],
		['a record above its limit', new Uint8Array(LIMITS.recordPlaintextBytes + 1), 'FRAME_TOO_LARGE'],
	] as const)('are refused: %s', (_, input, code) => {
		expect(decodeFrames(input)).toMatchObject({ ok: false, error: { code } })
	})

	it('may be as large as the limits say', () => {
		expect(decodeFrames(record(0, LIMITS.controlFrameBytes)).ok).toBe(true)
		expect(decodeFrames(encodeDataFrame(2, new Uint8Array(LIMITS.recordPlaintextBytes - DATA_FRAME_OVERHEAD))).ok).toBe(true)
		expect(() => encodeControlFrame(new Uint8Array(LIMITS.controlFrameBytes + 1))).toThrow(RangeError)
		expect(decodeFrames(new Uint8Array(0))).toEqual({ ok: true, value: [] })
	})

	it('give views of the record, not copies', () => {
		const plaintext = encodeDataFrame(2, Uint8Array.of(1, 2, 3))
		const decoded = decodeFrames(plaintext)
		const [first] = decoded.ok ? decoded.value : []
		expect(first?.kind === 'data' && first.bytes.buffer).toBe(plaintext.buffer)
	})

	it('never make the decoder throw, and what it accepts is what was there', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 200 }), (input) => {
				const decoded = decodeFrames(input)
				const frames = decoded.ok ? decoded.value : []
				const again = concatBytes(frames.map((item, index) => encodeOrCopy(item, input, index, frames)))
				expect(decoded.ok ? again : input).toEqual(input)
			}),
		)
	})
})

function record(protocol: number, payloadLength: number): Uint8Array {
	const bytes = new Uint8Array(5 + payloadLength)
	bytes[0] = protocol
	new DataView(bytes.buffer).setUint32(1, payloadLength)
	return bytes
}

/** Padding has no content of its own: it fills what the frames before it left. */
function encodeOrCopy(item: Frame, input: Uint8Array, index: number, all: readonly Frame[]): Uint8Array {
	if (item.kind !== 'padding') return encode(item)
	const before = all.slice(0, index).reduce((total, frame) => total + encode(frame).length, 0)
	return input.subarray(before)
}
