/** How often one may knock. Counts live in this process: a restart forgives. */

import type { CloseName } from '@sallyport/protocol'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { Decision, Refusal } from '../control-plane.ts'
import { addressKey } from './address-key.ts'

const MINUTE_S = 60
const GUESS_WINDOW_S = 10 * MINUTE_S

export interface LimitSettings {
	/** @default 10 */
	readonly newLinksPerMinute?: number
	/** @default 50 */
	readonly hellosPerMinute?: number
	/** Wrong passwords for one account in ten minutes. @default 10 */
	readonly guessesPerAccount?: number
	/** Wrong passwords from one address in ten minutes. @default 30 */
	readonly guessesPerAddress?: number
}

export interface Admission {
	giveBack(): Promise<void>
}

export interface Limits {
	/** A hello, or an HTTP request whose credential turned out bad; counted before anyone is known. */
	hello(address: string): Promise<Decision<Admission>>
	/** Counts a bearer token that was refused, and tells whether the address has shown too many. */
	badToken(address: string): Promise<Decision<undefined>>
	/** A new link of a user. A failed one counts double. */
	newLink(userId: string, failed: boolean): Promise<Decision<undefined>>
	/** One try at a password; given back when it was right. */
	passwordGuess(account: string, address: string): Promise<Decision<Admission>>
}

export function createLimits(settings: LimitSettings = {}): Limits {
	const hellos = limiter('hello', settings.hellosPerMinute ?? 50, MINUTE_S)
	const badTokens = limiter('bad-token', settings.hellosPerMinute ?? 50, MINUTE_S)
	const links = limiter('link', settings.newLinksPerMinute ?? 10, MINUTE_S)
	const byAccount = limiter('account', settings.guessesPerAccount ?? 10, GUESS_WINDOW_S)
	const byAddress = limiter('address', settings.guessesPerAddress ?? 30, GUESS_WINDOW_S)
	return {
		hello: (address) => admit(hellos, addressKey(address), 'this address has tried to connect too often'),
		async badToken(address) {
			return withoutAdmission(
				await admit(badTokens, addressKey(address), 'this address has shown too many tokens that are not valid'),
			)
		},
		async newLink(userId, failed) {
			return withoutAdmission(await admit(links, userId, 'you have opened too many new connections to machines', failed ? 2 : 1))
		},
		async passwordGuess(account, address) {
			// The address first: it bounds how many accounts one place can fill the other count with.
			const first = await admit(byAddress, addressKey(address), 'there were too many wrong passwords from this address')
			if (!first.ok) return first
			const second = await admit(byAccount, account, 'there were too many wrong passwords for this account')
			if (!second.ok) return second
			return {
				ok: true,
				value: { giveBack: async () => void (await Promise.all([first.value.giveBack(), second.value.giveBack()])) },
			}
		},
	}
}

function limiter(name: string, points: number, durationS: number): RateLimiterMemory {
	return new RateLimiterMemory({ keyPrefix: name, points, duration: durationS })
}

async function admit(limits: RateLimiterMemory, key: string, what: string, points = 1): Promise<Decision<Admission>> {
	try {
		await limits.consume(key, points)
		return { ok: true, value: { giveBack: async () => void (await limits.reward(key, points)) } }
	} catch (refused) {
		if (!(refused instanceof RateLimiterRes)) throw refused
		return tooOften(what, refused.msBeforeNext)
	}
}

function withoutAdmission(decision: Decision<Admission>): Decision<undefined> {
	return decision.ok ? { ok: true, value: undefined } : decision
}

function tooOften(what: string, retryAfterMs: number): Refusal {
	const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000))
	const close: CloseName = 'rate_limited'
	return { ok: false, close, api: 'rate_limited', reason: `${what}: try again in ${seconds} s`, retryAfterMs: seconds * 1000 }
}
