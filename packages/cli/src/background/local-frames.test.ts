import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LocalFrameReader, localFrameHeader } from './local-frames.ts'

const frame = fc.record({ type: fc.integer({ min: 0, max: 255 }), payload: fc.uint8Array({ maxLength: 40 }) })

describe('local frames', () => {
	it('come out as they went in, in any chunking', () => {
		fc.assert(
			fc.property(fc.array(frame), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (frames, sizes) => {
				const bytes = Buffer.concat(frames.flatMap(({ type, payload }) => [localFrameHeader(type, payload.length), payload]))
				const reader = new LocalFrameReader()
				const read: { type: number; payload: number[] }[] = []
				for (let at = 0, turn = 0; at < bytes.length; turn++) {
					const size = sizes[turn % sizes.length] ?? 1
					for (const { type, payload } of reader.push(bytes.subarray(at, at + size))) read.push({ type, payload: [...payload] })
					at += size
				}
				expect(read).toEqual(frames.map(({ type, payload }) => ({ type, payload: [...payload] })))
				expect(reader.waitingBytes).toBe(0)
			}),
		)
	})

	it('are refused before they are waited for when they claim too much', () => {
		expect(() => new LocalFrameReader().push(localFrameHeader(1, 0xffffffff))).toThrow(RangeError)
	})
})
