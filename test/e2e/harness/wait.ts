/** Waiting in tests: always for a condition, always with a deadline, never for a time. */
import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 15

/**
 * Asks until the answer is neither undefined, null nor false, and gives it back. An exception counts as "not yet"; the
 * last one is the cause when time runs out.
 */
export async function waitFor<T>(
	what: string,
	ask: () => T | Promise<T>,
	timeoutMs = 10_000,
): Promise<Exclude<T, undefined | null | false>> {
	const deadlineMs = performance.now() + timeoutMs
	let cause: unknown
	while (performance.now() < deadlineMs) {
		try {
			const answer = await ask()
			// Safe: the three excluded values are checked for right here, which the compiler can't follow for a free T.
			if (answer !== undefined && answer !== null && answer !== false) return answer as Exclude<T, undefined | null | false>
		} catch (error) {
			cause = error
		}
		await delay(POLL_MS)
	}
	throw new Error(`waited ${timeoutMs} ms for ${what}`, { cause })
}

/** The promise, or an error that names what was waited for. */
export async function within<T>(what: string, promise: Promise<T>, timeoutMs = 10_000): Promise<T> {
	const abort = new AbortController()
	const late = delay(timeoutMs, undefined, { signal: abort.signal }).then(() => {
		throw new Error(`waited ${timeoutMs} ms for ${what}`)
	})
	try {
		return await Promise.race([promise, late])
	} finally {
		abort.abort()
		// The timer's own rejection is of no interest once the race is over.
		late.catch(() => undefined)
	}
}
