/** Why a relay could not start, beside `StoreErrorCode`. Listed in `docs/errors.md`. */
export const RELAY_ERROR_CODES = ['PORT_TAKEN', 'PORT_FORBIDDEN', 'ADDRESS_UNKNOWN', 'LISTEN_FAILED', 'TLS_UNUSABLE'] as const
export type RelayErrorCode = (typeof RELAY_ERROR_CODES)[number]

/** Why a relay could not start; the message is for the person who started it. */
export class RelayError extends Error {
	override readonly name = 'RelayError'
	readonly code: RelayErrorCode

	constructor(code: RelayErrorCode, message: string, options?: ErrorOptions) {
		super(message, options)
		this.code = code
	}
}
