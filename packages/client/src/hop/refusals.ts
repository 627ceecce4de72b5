import { CLOSE, type CloseCode, type CloseName } from '@sallyport/protocol'
import { ClientError, type ClientErrorCode } from '../errors.ts'

/** What each close of a hop is to whoever asked for the link. */
const CODES: Readonly<Record<CloseName, ClientErrorCode>> = {
	bad_request: 'answer_invalid',
	credential_expired: 'unauthenticated',
	forbidden: 'forbidden',
	not_found: 'not_found',
	timed_out: 'timed_out',
	replaced: 'connection_lost',
	node_offline: 'node_offline',
	handshake_failed: 'handshake_failed',
	version: 'version',
	rate_limited: 'rate_limited',
	normal: 'connection_lost',
	relay_restarting: 'relay_restarting',
	too_slow: 'connection_lost',
	connection_lost: 'connection_lost',
	too_large: 'answer_invalid',
}

const MAX_REASON_CHARS = 300

/** A `refused` message. The relay's reason is a hint: shown, without control characters, and never decided by. */
export function errorFromRefusal(name: string, reason: string, retryAfterMs: number | undefined): ClientError {
	const close = Object.values(CLOSE).find((candidate) => candidate.name === name) ?? CLOSE.lost
	return errorFromClose(close, reason, retryAfterMs)
}

export function errorFromClose(close: CloseCode, reason: string, retryAfterMs?: number): ClientError {
	// Safe: every close of the table has one of these names.
	const code = CODES[close.name as CloseName]
	return new ClientError(code, plainText(reason) || close.message, {
		retry: close.retry,
		...(retryAfterMs === undefined ? {} : { retryAfterMs }),
	})
}

/** Text from outside, fit for one line on a terminal or a page. */
export function plainText(text: string): string {
	// Control characters, and marks that change the direction of text.
	return text
		.slice(0, MAX_REASON_CHARS)
		.replace(/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ')
		.trim()
}
