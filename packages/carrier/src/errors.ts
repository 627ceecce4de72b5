import type { ProtocolFault } from '@sallyport/protocol'
import { RESET_CODES } from '@sallyport/protocol'
import type { LinkEnd } from './link.ts'

/** Why a link could not be opened, or a request or stream on it failed. Listed in `docs/errors.md`. */
export const LINK_ERROR_CODES = [
	...RESET_CODES,
	'link_ended',
	'handshake_failed',
	'key_changed',
	'not_paired',
	'session_gone',
	'pairing_failed',
	'wrong_code',
	'burned',
	'expired',
	'bad_request',
	'timed_out',
	'refused',
] as const
export type LinkErrorCode = (typeof LINK_ERROR_CODES)[number]

/** The carrier's one error. `retry`: whether the same act, unchanged, may succeed later. */
export class LinkError extends Error {
	override readonly name = 'LinkError'
	readonly code: LinkErrorCode
	readonly retry: boolean

	constructor(code: LinkErrorCode, message: string, options: { readonly retry?: boolean; readonly cause?: unknown } = {}) {
		super(message, options.cause === undefined ? {} : { cause: options.cause })
		this.code = code
		this.retry = options.retry ?? false
	}

	static fromFault(fault: ProtocolFault): LinkError {
		return new LinkError('handshake_failed', fault.detail)
	}

	static fromEnd(end: LinkEnd): LinkError {
		return new LinkError('link_ended', end.message, { retry: end.retry })
	}
}
