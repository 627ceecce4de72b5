import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8ToBytes } from './bytes.ts'
import { crc32, formatToken, parseToken, TOKEN_KINDS, TOKEN_RANDOM_BYTES, tokenFromRandom } from './tokens.ts'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const kind = fc.constantFrom(...TOKEN_KINDS)
const random = fc.uint8Array({ minLength: TOKEN_RANDOM_BYTES, maxLength: TOKEN_RANDOM_BYTES })
const refused = { ok: false, error: { code: 'TOKEN_INVALID' } }

describe('tokens', () => {
	it('are read back as they were written, whatever the kind and the randomness', () => {
		fc.assert(
			fc.property(kind, random, (tokenKind, bytes) => {
				const token = tokenFromRandom(tokenKind, bytes)
				expect(parseToken(formatToken(token))).toEqual({ ok: true, value: token })
			}),
		)
	})

	it('have the shape that scanners look for: prefix, kind, 61 characters', () => {
		fc.assert(
			fc.property(kind, random, (tokenKind, bytes) => {
				const text = formatToken(tokenFromRandom(tokenKind, bytes))
				expect(text).toMatch(new RegExp(`^sly_${tokenKind}_[0-9A-Za-z]{61}$`))
			}),
		)
	})

	it('with any one character changed are refused', () => {
		const token = fc.tuple(kind, random).map(([tokenKind, bytes]) => formatToken(tokenFromRandom(tokenKind, bytes)))
		fc.assert(
			fc.property(token, fc.nat(), fc.constantFrom(...ALPHABET), (text, at, char) => {
				const index = at % text.length
				fc.pre(text[index] !== char)
				expect(parseToken(text.slice(0, index) + char + text.slice(index + 1))).toMatchObject(refused)
			}),
			{ numRuns: 500 },
		)
	})

	it('with two neighbours swapped are refused', () => {
		const text = formatToken(
			tokenFromRandom(
				'pat',
				Uint8Array.from({ length: TOKEN_RANDOM_BYTES }, (_, index) => index * 7),
			),
		)
		for (let index = 'sly_pat_'.length; index < text.length - 1; index++) {
			const swapped = `${text.slice(0, index)}${text[index + 1]}${text[index]}${text.slice(index + 2)}`
			if (swapped !== text) expect(parseToken(swapped)).toMatchObject(refused)
		}
	})

	it('of another kind under the same body are refused: the kind is part of the checksum', () => {
		const text = formatToken(tokenFromRandom('enrol', new Uint8Array(TOKEN_RANDOM_BYTES)))
		expect(parseToken(text.replace('sly_enrol_', 'sly_pat_'))).toMatchObject(refused)
	})

	it.each(['', 'sly_', ' ', 'sly_root_', '\n', 'SLY_PAT_'])('made longer or shorter (%j before it) are refused', (before) => {
		const text = formatToken(tokenFromRandom('cli', new Uint8Array(TOKEN_RANDOM_BYTES).fill(3)))
		expect(parseToken(`${before}${text}${before === '' ? 'x' : ''}`)).toMatchObject(refused)
	})

	it('with a newline at the end are refused', () => {
		const text = formatToken(tokenFromRandom('cli', new Uint8Array(TOKEN_RANDOM_BYTES).fill(3)))
		expect(parseToken(`${text}\n`)).toMatchObject(refused)
	})

	it('refuse arbitrary text without throwing, and never repeat it', () => {
		fc.assert(
			fc.property(fc.string({ minLength: 20 }), (text) => {
				const parsed = parseToken(text)
				expect(parsed).toMatchObject(refused)
				expect(parsed.ok ? '' : parsed.error.detail).not.toContain(text)
			}),
		)
	})

	it.each([0, TOKEN_RANDOM_BYTES - 1, TOKEN_RANDOM_BYTES + 1])('are not made of %i random bytes', (length) => {
		expect(() => tokenFromRandom('web', new Uint8Array(length))).toThrow(RangeError)
	})

	it('use each character about as often as any other', () => {
		const counts = new Map<string, number>()
		for (let high = 0; high < 256; high++) {
			const bytes = new Uint8Array(TOKEN_RANDOM_BYTES)
			for (let low = 0; low < 256; low += TOKEN_RANDOM_BYTES / 2) {
				for (let index = 0; index < TOKEN_RANDOM_BYTES; index += 2) bytes.set([high, (low + index / 2) & 0xff], index)
				const { id, secret } = tokenFromRandom('pat', bytes)
				for (const char of id + secret) counts.set(char, (counts.get(char) ?? 0) + 1)
			}
		}
		const seen = [...counts.values()]
		expect(seen).toHaveLength(62)
		expect(Math.max(...seen) / Math.min(...seen)).toBeLessThan(1.05)
	})
})

describe('crc32', () => {
	it.each([
		['', 0],
		['123456789', 0xcbf43926],
		['The quick brown fox jumps over the lazy dog', 0x414fa339],
	])('of %j is the published value', (text, expected) => {
		expect(crc32(utf8ToBytes(text))).toBe(expected)
	})
})
