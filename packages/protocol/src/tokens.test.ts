import { describe, expect, it } from 'vitest'
import { formatToken, parseToken, TOKEN_RANDOM_BYTES, tokenFromRandom } from './index.ts'

describe('tokens', () => {
	const token = tokenFromRandom('pat', new Uint8Array(TOKEN_RANDOM_BYTES).fill(7))

	it('reads back what it wrote', () => {
		expect(parseToken(formatToken(token))).toEqual({ ok: true, value: token })
	})

	it('notices one wrong character', () => {
		const text = formatToken(token)
		const wrong = text.slice(0, 20) + (text[20] === 'a' ? 'b' : 'a') + text.slice(21)
		expect(parseToken(wrong)).toMatchObject({ ok: false, error: { code: 'TOKEN_INVALID' } })
	})
})
