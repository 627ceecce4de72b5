import { describe, expect, it } from 'vitest'
import { createPasswords, PasswordsBusyError, passwordProblem } from './passwords.ts'

function heldAlgorithm() {
	const releases: (() => void)[] = []
	let running = 0
	let most = 0
	const hold = async () => {
		most = Math.max(most, ++running)
		await new Promise<void>((resolve) => releases.push(resolve))
		running--
	}
	return {
		releases,
		most: () => most,
		algorithm: {
			hash: async (password: string) => {
				await hold()
				return `hash of ${password}`
			},
			verify: async () => {
				await hold()
				return true
			},
		},
	}
}

describe('password hashing', () => {
	it('does two at once, lets some wait, and refuses the rest', async () => {
		const held = heldAlgorithm()
		const passwords = createPasswords(held.algorithm, { atOnce: 2, waiting: 3 })
		const accepted = Array.from({ length: 5 }, (_, index) => passwords.hash(`password ${index}`))
		await expect(passwords.hash('one too many')).rejects.toBeInstanceOf(PasswordsBusyError)
		for (let done = 0; done < 5; done++) {
			await Promise.resolve()
			held.releases.shift()?.()
			await accepted[done]
		}
		expect(held.most()).toBe(2)
		expect(await Promise.all(accepted)).toContain('hash of password 4')
	})

	it('gives the place on when the work fails', async () => {
		const failing = { hash: () => Promise.reject(new Error('no memory')), verify: async () => true }
		const passwords = createPasswords(failing, { atOnce: 1, waiting: 0 })
		await expect(passwords.hash('a')).rejects.toThrow('no memory')
		expect(await passwords.verify({ hash: 'h', password: 'p' })).toBe(true)
	})

	it('checks nobody as it checks somebody, and is never right', async () => {
		const verified: string[] = []
		const passwords = createPasswords({
			hash: async () => 'hash',
			verify: async ({ hash }) => {
				verified.push(hash)
				return true
			},
		})
		expect(await passwords.verifyNobody('the password of nobody')).toBe(false)
		expect(verified).toEqual(['hash'])
	})
})

describe('a new password', () => {
	it('has ten to 256 characters', () => {
		expect(passwordProblem('123456789')).toMatch(/has 9 characters: choose one of at least 10/)
		expect(passwordProblem('1234567890')).toBeUndefined()
		expect(passwordProblem('x'.repeat(256))).toBeUndefined()
		expect(passwordProblem('x'.repeat(257))).toMatch(/at most 256/)
	})
})
