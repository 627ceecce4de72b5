import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { addressKey } from './address-key.ts'
import { createLimits } from './limits.ts'

describe('the bucket of an address', () => {
	it.each([
		['192.0.2.7', '192.0.2.7'],
		['::ffff:192.0.2.7', '192.0.2.7'],
		['::FFFF:c000:207', '192.0.2.7'],
		['0:0:0:0:0:ffff:192.0.2.7', '192.0.2.7'],
		['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
		['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
		['2001:db8:1:2:ffff::9', '2001:db8:1:2::/64'],
		['[2001:db8:1:2::1]', '2001:db8:1:2::/64'],
		['fe80::1%eth0', 'fe80:0:0:0::/64'],
		['::1', '0:0:0:0::/64'],
		['not:an:address', 'not:an:address'],
		['1::2::3', '1::2::3'],
	])('of %s is %s', (address, key) => {
		expect(addressKey(address)).toBe(key)
	})
})

describe('limits', () => {
	beforeEach(() => {
		vi.useFakeTimers()
	})
	afterEach(() => {
		vi.useRealTimers()
	})

	it('refuse the 51st hello of an address in a minute, say when to come back, and forget after it', async () => {
		const limits = createLimits()
		for (let index = 0; index < 50; index++) expect(await limits.hello(`2001:db8::${index}`)).toMatchObject({ ok: true })
		vi.advanceTimersByTime(20_000)
		const refused = await limits.hello('2001:db8::ffff')
		expect(refused).toMatchObject({ ok: false, api: 'rate_limited', close: 'rate_limited', retryAfterMs: 40_000 })
		expect(refused).toMatchObject({ reason: expect.stringContaining('try again in 40 s') })
		expect(await limits.hello('2001:db8:0:1::1')).toMatchObject({ ok: true })
		vi.advanceTimersByTime(41_000)
		expect(await limits.hello('2001:db8::1')).toMatchObject({ ok: true })
	})

	it('give back what turned out well', async () => {
		const limits = createLimits({ hellosPerMinute: 1 })
		for (let index = 0; index < 5; index++) {
			const admitted = await limits.hello('192.0.2.1')
			if (!admitted.ok) throw new Error(`hello ${index} was refused`)
			await admitted.value.giveBack()
		}
		expect(await limits.hello('192.0.2.1')).toMatchObject({ ok: true })
		expect(await limits.hello('::ffff:192.0.2.1')).toMatchObject({ ok: false })
	})

	it('count a failed link double', async () => {
		const limits = createLimits({ newLinksPerMinute: 3 })
		expect(await limits.newLink('ada', true)).toMatchObject({ ok: true })
		expect(await limits.newLink('ada', false)).toMatchObject({ ok: true })
		expect(await limits.newLink('ada', false)).toMatchObject({ ok: false, api: 'rate_limited' })
		expect(await limits.newLink('bob', false)).toMatchObject({ ok: true })
	})

	it('count guesses by account from anywhere and by address for any account', async () => {
		const limits = createLimits({ guessesPerAccount: 2, guessesPerAddress: 3 })
		expect(await limits.passwordGuess('ada', '192.0.2.1')).toMatchObject({ ok: true })
		expect(await limits.passwordGuess('ada', '192.0.2.2')).toMatchObject({ ok: true })
		expect(await limits.passwordGuess('ada', '192.0.2.3')).toMatchObject({ ok: false })
		for (const account of ['bob', 'eve', 'joe'])
			expect(await limits.passwordGuess(account, '192.0.2.4')).toMatchObject({ ok: true })
		expect(await limits.passwordGuess('sue', '192.0.2.4')).toMatchObject({ ok: false })
		vi.advanceTimersByTime(601_000)
		expect(await limits.passwordGuess('ada', '192.0.2.4')).toMatchObject({ ok: true })
	})
})
