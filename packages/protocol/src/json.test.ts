import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { utf8ToBytes } from './bytes.ts'
import { messageOp, parseJson, parseWith } from './json.ts'
import { LIMITS } from './limits.ts'
import { FAULT_CODES } from './result.ts'

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

describe('parseJson', () => {
	it('reads text and bytes alike', () => {
		expect(parseJson('{"op":"open","n":[1,"é"]}', 100)).toEqual({ ok: true, value: { op: 'open', n: [1, 'é'] } })
		expect(parseJson(utf8ToBytes('{"op":"open","n":[1,"é"]}'), 100)).toEqual({ ok: true, value: { op: 'open', n: [1, 'é'] } })
	})

	it('takes a message of exactly the limit and refuses one byte more', () => {
		expect(parseJson('"12345678"', 10).ok).toBe(true)
		expect(parseJson('"123456789"', 10)).toMatchObject({ ok: false, error: { code: 'MESSAGE_TOO_LARGE' } })
	})

	it('judges the size before it reads: a huge malformed message is too large, not malformed', () => {
		expect(parseJson(new Uint8Array(1000).fill(0xff), 10)).toMatchObject({ error: { code: 'MESSAGE_TOO_LARGE' } })
	})

	it('takes the deepest nesting allowed and refuses one level more', () => {
		expect(parseJson(nested(LIMITS.jsonDepth), 1000).ok).toBe(true)
		expect(parseJson(nested(LIMITS.jsonDepth + 1), 1000)).toMatchObject({ error: { code: 'MESSAGE_TOO_DEEP' } })
	})

	it('counts no bracket inside a string, escaped quotes included', () => {
		const text = JSON.stringify({ text: `${'['.repeat(50)}"\\"{{{{{{{{{{{` })
		expect(parseJson(text, 1000).ok).toBe(true)
	})

	it.each(['', '{', '{"a":}', 'undefined', "{'a':1}", '{"a":1}x', 'NaN'])('refuses %j as no json', (text) => {
		expect(parseJson(text, 1000)).toMatchObject({ ok: false, error: { code: 'MESSAGE_NOT_JSON' } })
	})

	it('refuses bytes that are not utf-8, overlong forms and lone surrogates included', () => {
		for (const bytes of [
			[0x22, 0xff, 0x22],
			[0x22, 0xc0, 0xaf, 0x22],
			[0x22, 0xed, 0xa0, 0x80, 0x22],
		]) {
			expect(parseJson(Uint8Array.from(bytes), 100)).toMatchObject({ ok: false, error: { code: 'MESSAGE_INVALID' } })
		}
	})

	it('never repeats what it refused', () => {
		const secret = 'correct-horse-battery'
		for (const text of [`{"token":"${secret}"`, `{"token":"${secret}",}`, `${nested(9)}${secret}`]) {
			expect(JSON.stringify(parseJson(text, 1000))).not.toContain(secret)
		}
	})

	it('reads what JSON.stringify wrote', () => {
		fc.assert(
			fc.property(fc.jsonValue({ maxDepth: LIMITS.jsonDepth - 1 }), (value) => {
				expect(parseJson(JSON.stringify(value), 1_000_000)).toEqual({ ok: true, value: JSON.parse(JSON.stringify(value)) })
			}),
		)
	})

	it('never throws, whatever the bytes or text', () => {
		const input = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string({ maxLength: 200 }), fc.string({ unit: 'binary' }))
		fc.assert(
			fc.property(input, (bytes) => {
				const parsed = parseJson(bytes, 100)
				if (!parsed.ok) expect(FAULT_CODES).toContain(parsed.error.code)
				else expect(JSON.stringify(parsed.value)).toBeTypeOf('string')
			}),
		)
	})

	it('agrees with JSON.parse on every text within depth and size', () => {
		fc.assert(
			fc.property(fc.oneof(fc.json({ maxDepth: 3 }), fc.string()), (text) => {
				const own = parseJson(text, 100_000)
				let expected: unknown
				try {
					expected = JSON.parse(text)
				} catch {
					expect(own.ok).toBe(false)
					return
				}
				expect(own).toEqual({ ok: true, value: expected })
			}),
		)
	})
})

describe('parseWith', () => {
	const schema = v.object({ outer: v.object({ port: v.pipe(v.number(), v.maxValue(10)) }) })

	it('names the path of what is wrong, and never the value', () => {
		const refused = parseWith(schema, { outer: { port: 'hunter2' } })
		expect(refused).toMatchObject({ ok: false, error: { code: 'MESSAGE_INVALID' } })
		expect(JSON.stringify(refused)).toContain('outer.port')
		expect(JSON.stringify(refused)).not.toContain('hunter2')
	})

	it('drops fields that this version does not know', () => {
		expect(parseWith(schema, { outer: { port: 3, later: true }, also: 1 })).toEqual({ ok: true, value: { outer: { port: 3 } } })
	})

	it('is not fooled by a prototype', () => {
		const parsed = parseWith(schema, JSON.parse('{"__proto__":{"outer":{"port":1}}}'))
		expect(parsed.ok).toBe(false)
	})
})

describe('messageOp', () => {
	it.each([[null], [undefined], [1], ['op'], [[]], [{}], [{ op: 1 }], [{ op: null }]])('finds none in %j', (value) => {
		expect(messageOp(value)).toBeUndefined()
	})

	it('finds a string', () => {
		expect(messageOp({ op: 'hello' })).toBe('hello')
	})
})
