import { LinkError, type LinkErrorCode } from '@sallyport/carrier'
import { API_ERROR_CODES } from '@sallyport/protocol'
import { TransportError } from '@sallyport/transport'

/** Why something that a person asked for did not happen. Listed in `docs/errors.md`. */
export const CLIENT_ERROR_CODES = [
	...API_ERROR_CODES,
	'network',
	'answer_invalid',
	'timed_out',
	'cancelled',
	'connection_lost',
	'version',
	'relay_changed',
	'relay_restarting',
	'node_offline',
	'not_paired',
	'session_gone',
	'key_changed',
	'handshake_failed',
	'pairing_failed',
	'wrong_code',
	'burned',
	'expired',
	'refused',
	'link_ended',
	'storage',
	'reset',
] as const
export type ClientErrorCode = (typeof CLIENT_ERROR_CODES)[number]

export interface ClientErrorOptions {
	/** Whether the same act, unchanged, may succeed later. @default false */
	readonly retry?: boolean
	readonly retryAfterMs?: number
	readonly cause?: unknown
}

/** The client's one error. Its message is for people: what happened, why, what to do now. */
export class ClientError extends Error {
	override readonly name = 'ClientError'
	readonly code: ClientErrorCode
	readonly retry: boolean
	readonly retryAfterMs: number | undefined

	constructor(code: ClientErrorCode, message: string, options: ClientErrorOptions = {}) {
		super(message, options.cause === undefined ? undefined : { cause: options.cause })
		this.code = code
		this.retry = options.retry ?? false
		this.retryAfterMs = options.retryAfterMs
	}

	/** Normalises whatever was caught; an unknown fault of ours is `internal`. */
	static from(caught: unknown): ClientError {
		if (caught instanceof ClientError) return caught
		if (caught instanceof LinkError) return fromLinkError(caught)
		if (caught instanceof TransportError) return fromTransportError(caught)
		if (caught instanceof Error && caught.name === 'AbortError')
			return new ClientError('cancelled', 'given up', { cause: caught })
		const message = caught instanceof Error ? caught.message : String(caught)
		return new ClientError('internal', message, { cause: caught })
	}
}

/** Codes of `LinkError` that have a name of their own here; the others are resets of one stream or request. */
const LINK_CODES: Partial<Record<LinkErrorCode, ClientErrorCode>> = {
	link_ended: 'link_ended',
	handshake_failed: 'handshake_failed',
	key_changed: 'key_changed',
	not_paired: 'not_paired',
	session_gone: 'session_gone',
	pairing_failed: 'pairing_failed',
	wrong_code: 'wrong_code',
	burned: 'burned',
	expired: 'expired',
	bad_request: 'bad_request',
	timed_out: 'timed_out',
	refused: 'refused',
	cancelled: 'cancelled',
	not_found: 'not_found',
}

function fromLinkError(error: LinkError): ClientError {
	const code = LINK_CODES[error.code] ?? 'reset'
	return new ClientError(code, error.message, { retry: error.retry, cause: error })
}

function fromTransportError(error: TransportError): ClientError {
	const options = { retry: error.retry, cause: error }
	switch (error.code) {
		case 'DIAL_ABORTED':
			return new ClientError('cancelled', 'given up', options)
		case 'DIAL_TIMEOUT':
			return new ClientError('timed_out', error.message, options)
		case 'DIAL_URL_INVALID':
			return new ClientError('bad_request', error.message, options)
		case 'DIAL_HTTP_STATUS':
			return new ClientError(error.status === 403 ? 'forbidden' : 'network', error.message, options)
		case 'DIAL_REFUSED':
		case 'DIAL_UNREACHABLE':
		case 'DIAL_DNS':
		case 'DIAL_TLS':
		case 'DIAL_FAILED':
			return new ClientError('network', error.message, options)
		default:
			return error.code satisfies never
	}
}
