import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OutputLog } from './output-log.ts'

describe('output log', () => {
	it('holds exactly the last bytes, however they came', () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 64 }),
				fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 30 }),
				(maxBytes, parts) => {
					const log = new OutputLog(maxBytes)
					for (const part of parts) log.push(part)
					const all = Buffer.concat(parts)
					const expected = all.subarray(Math.max(0, all.length - maxBytes))
					expect(Buffer.concat(log.chunks())).toEqual(expected)
					expect(log.byteCount).toBe(expected.length)
				},
			),
		)
	})

	it('keeps copies: a reader that reuses its buffer changes nothing', () => {
		const log = new OutputLog(10)
		const bytes = Uint8Array.of(1, 2, 3)
		log.push(bytes)
		bytes.fill(9)
		expect(log.chunks()).toEqual([Uint8Array.of(1, 2, 3)])
	})
})
