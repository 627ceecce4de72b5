import { expect, it } from 'vitest'
import { passwordStrength } from './password.ts'

it.each([
	['', 0],
	['short', 0],
	['password12345', 1],
	['aaaaaaaaaaaaaaa', 1],
	['abcdefghijklmnop', 1],
	['correct horse battery staple', 4],
	['t7#Kq9!vLx2@mZ4&', 4],
])('%s scores %d', (password, score) => expect(passwordStrength(password).score).toBe(score))

it('does not count the name of the account', () => {
	expect(passwordStrength('marguerite1', ['marguerite']).score).toBeLessThan(
		passwordStrength('xqvzlkwyrt1', ['marguerite']).score,
	)
})

it('says how much is missing', () => {
	expect(passwordStrength('123456789').hint).toBe('1 more character needed')
})
