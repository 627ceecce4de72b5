import { CLOSE, LIMITS } from '@sallyport/protocol'

/** Why the last connection to the relay ended, or why none came about. */
export type ConnectionFailure =
	| { readonly kind: 'closed'; readonly code: number; readonly hadLinks: boolean }
	| { readonly kind: 'unreachable' }
	/** Trying again, unchanged, will hardly help: a person has to do something. */
	| { readonly kind: 'refused' }

const FIRST_MS = 500
const CAP_MS = 30_000
const SLOW_MS = 5 * 60_000
const RATE_LIMITED_MS = 30_000

/**
 * How long to wait before the next dial. `random` is uniform in [0, 1). Full jitter, so that thousands of agents whose
 * relay comes back don't all knock at once.
 */
export function backoffMs(failure: ConnectionFailure, attempt: number, random: () => number): number {
	const jittered = random() * Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(attempt, 10))
	if (failure.kind === 'unreachable') return jittered
	if (failure.kind === 'refused') return SLOW_MS * (0.5 + random() / 2)
	switch (failure.code) {
		case CLOSE.restarting.code:
			return random() * (failure.hadLinks ? 2_000 : 8_000)
		case CLOSE.replaced.code:
			return LIMITS.replacedBackoffMs
		case CLOSE.rateLimited.code:
			return RATE_LIMITED_MS + jittered
		case CLOSE.credentialExpired.code:
		case CLOSE.forbidden.code:
		case CLOSE.notFound.code:
		case CLOSE.version.code:
			return SLOW_MS * (0.5 + random() / 2)
		default:
			return jittered
	}
}

/** What a close means for the person who looks at `sally agent status`. */
export function closeText(code: number, origin: string): string {
	switch (code) {
		case CLOSE.restarting.code:
			return 'the relay is restarting'
		case CLOSE.replaced.code:
			return 'another agent with the same identity took over: if this machine was cloned, remove the data folder of one of them and join it again'
		case CLOSE.rateLimited.code:
			return 'the relay limits how often this address may connect'
		case CLOSE.credentialExpired.code:
		case CLOSE.notFound.code:
			return `the relay ${origin} no longer knows this machine: it was removed there, or its token was revoked. Join it again with: sally agent join`
		case CLOSE.forbidden.code:
			return `the relay ${origin} does not accept this machine's key. Join it again with: sally agent join`
		case CLOSE.version.code:
			return 'the relay speaks another version: upgrade the older of the two'
		case CLOSE.tooSlow.code:
			return 'the connection was too slow'
		case CLOSE.timedOut.code:
			return 'the relay did not answer in time'
		default:
			return 'the connection was lost'
	}
}
