import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
	base32ToBytes,
	base64UrlToBytes,
	bytesToBase32,
	bytesToBase64Url,
	bytesToUtf8,
	concatBytes,
	EMPTY_BYTES,
	equalBytes,
	lengthPrefixed,
	readUint32,
	uint32ToBytes,
	uint64ToBytes,
	utf8ToBytes,
} from './bytes.ts'

const bytes = fc.uint8Array({ maxLength: 100 })

describe('base64url', () => {
	it('writes what Node writes, and reads it back', () => {
		fc.assert(
			fc.property(bytes, (input) => {
				const text = bytesToBase64Url(input)
				expect(text).toBe(Buffer.from(input).toString('base64url'))
				expect(base64UrlToBytes(text)).toEqual({ ok: true, value: input })
			}),
		)
	})

	it('has one spelling for one value: what it reads is what it would write', () => {
		fc.assert(
			fc.property(fc.oneof(fc.base64String(), fc.stringMatching(/^[A-Za-z0-9_-]{0,12}$/), fc.string()), (text) => {
				const parsed = base64UrlToBytes(text)
				fc.pre(parsed.ok)
				expect(parsed.ok && bytesToBase64Url(parsed.value)).toBe(text)
			}),
		)
	})

	it.each([
		['padding', 'AA=='],
		['white space', 'AA A'],
		['the standard alphabet', 'AA+A'],
		['bits left over', 'AB'],
		['a whole character left over', 'AAAAA'],
		['a character of two units', '😀😀'],
	])('refuses %s', (_, text) => {
		expect(base64UrlToBytes(text)).toMatchObject({ ok: false, error: { code: 'MESSAGE_INVALID' } })
	})
})

describe('base32', () => {
	it('writes the examples of RFC 4648 in lower case without padding', () => {
		const examples = { '': '', f: 'my', fo: 'mzxq', foo: 'mzxw6', foob: 'mzxw6yq', fooba: 'mzxw6ytb', foobar: 'mzxw6ytboi' }
		for (const [plain, text] of Object.entries(examples)) {
			expect(bytesToBase32(utf8ToBytes(plain))).toBe(text)
			expect(base32ToBytes(text)).toEqual({ ok: true, value: utf8ToBytes(plain) })
		}
	})

	it('reads back what it wrote', () => {
		fc.assert(
			fc.property(bytes, (input) => {
				expect(base32ToBytes(bytesToBase32(input))).toEqual({ ok: true, value: input })
			}),
		)
	})

	it.each(['A', 'MZXW6', 'mz1q', 'mz=', 'mzxw6y', 'm'])('refuses %s', (text) => {
		expect(base32ToBytes(text).ok).toBe(false)
	})
})

describe('numbers', () => {
	it('are big-endian and come back', () => {
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.nat({ max: 5 }), (value, offset) => {
				const expected = Buffer.alloc(4)
				expected.writeUInt32BE(value)
				expect(uint32ToBytes(value)).toEqual(new Uint8Array(expected))
				expect(readUint32(concatBytes([new Uint8Array(offset), uint32ToBytes(value)]), offset)).toBe(value)
			}),
		)
		fc.assert(
			fc.property(fc.maxSafeNat(), (value) => {
				const expected = Buffer.alloc(8)
				expected.writeBigUInt64BE(BigInt(value))
				expect(uint64ToBytes(value)).toEqual(new Uint8Array(expected))
			}),
		)
	})

	it('reads zeros where there is nothing', () => {
		expect(readUint32(EMPTY_BYTES, 0)).toBe(0)
	})
})

describe('comparing', () => {
	it('says whether two values are the same', () => {
		fc.assert(
			fc.property(bytes, bytes, (left, right) => {
				expect(equalBytes(left, right)).toBe(Buffer.compare(left, right) === 0)
				expect(equalBytes(left, left.slice())).toBe(true)
			}),
		)
	})

	it('sees a difference of one bit anywhere', () => {
		for (let bit = 0; bit < 256; bit++) {
			const other = new Uint8Array(32)
			other[bit >> 3] = 1 << (bit & 7)
			expect(equalBytes(new Uint8Array(32), other)).toBe(false)
		}
	})
})

describe('fields', () => {
	it('never join to the same bytes when they are different lists', () => {
		fc.assert(
			fc.property(fc.array(bytes, { maxLength: 4 }), fc.array(bytes, { maxLength: 4 }), (left, right) => {
				const isSame =
					left.length === right.length && left.every((field, index) => equalBytes(field, right[index] ?? EMPTY_BYTES))
				expect(equalBytes(lengthPrefixed(left), lengthPrefixed(right))).toBe(isSame)
			}),
		)
		expect(lengthPrefixed([utf8ToBytes('ab'), utf8ToBytes('c')])).not.toEqual(
			lengthPrefixed([utf8ToBytes('a'), utf8ToBytes('bc')]),
		)
	})
})

describe('text', () => {
	it('comes back', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary' }), (text) => {
				expect(bytesToUtf8(utf8ToBytes(text))).toEqual({ ok: true, value: text })
			}),
		)
	})

	it('keeps a byte order mark, and refuses malformed bytes', () => {
		expect(bytesToUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toEqual({ ok: true, value: '\ufeffa' })
		for (const malformed of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]]) {
			expect(bytesToUtf8(Uint8Array.from(malformed))).toMatchObject({ ok: false, error: { code: 'MESSAGE_INVALID' } })
		}
	})
})
