/** Why a dial failed. Stable; listed in `docs/errors.md`. */
export const TRANSPORT_ERROR_CODES = [
	'DIAL_URL_INVALID',
	'DIAL_REFUSED',
	'DIAL_UNREACHABLE',
	'DIAL_DNS',
	'DIAL_TLS',
	'DIAL_TIMEOUT',
	'DIAL_HTTP_STATUS',
	'DIAL_ABORTED',
	'DIAL_FAILED',
] as const
export type TransportErrorCode = (typeof TRANSPORT_ERROR_CODES)[number]

/** Codes for which the same dial, unchanged, may succeed later. */
const RETRY_CODES: ReadonlySet<TransportErrorCode> = new Set([
	'DIAL_REFUSED',
	'DIAL_UNREACHABLE',
	'DIAL_DNS',
	'DIAL_TIMEOUT',
	'DIAL_FAILED',
])

/** A socket that could not be opened. The message names origin and cause, never a query or a secret. */
export class TransportError extends Error {
	override readonly name = 'TransportError'
	readonly code: TransportErrorCode
	/** HTTP status of the answer; present with `DIAL_HTTP_STATUS` alone. */
	readonly status: number | undefined
	/** Whether trying again, unchanged, may help. */
	readonly retry: boolean

	constructor(code: TransportErrorCode, message: string, options?: { readonly status?: number; readonly cause?: unknown }) {
		super(message, options?.cause === undefined ? undefined : { cause: options.cause })
		this.code = code
		this.status = options?.status
		this.retry = RETRY_CODES.has(code) || (this.status !== undefined && isPassingStatus(this.status))
	}
}

/** A proxy or server that is overloaded or restarting: 408, 425, 429 and 5xx. */
function isPassingStatus(status: number): boolean {
	return status === 408 || status === 425 || status === 429 || status >= 500
}
