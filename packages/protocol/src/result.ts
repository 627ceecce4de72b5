/** The outcome of parsing something that came from outside: bad input is a value, not an exception. */
export type Result<T, E = ProtocolFault> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E }

/** Why an input was refused. `detail` is for the log of the side that refuses; it never holds secrets. */
export interface ProtocolFault {
	readonly code: FaultCode
	readonly detail: string
}

/** Stable names of parse faults; listed in `docs/errors.md`. */
export const FAULT_CODES = [
	'MESSAGE_TOO_LARGE',
	'MESSAGE_NOT_JSON',
	'MESSAGE_TOO_DEEP',
	'MESSAGE_INVALID',
	'OP_UNKNOWN',
	'FRAME_TOO_LARGE',
	'FRAME_INVALID',
	'FRAME_PROTOCOL_UNKNOWN',
	'VERSION_UNSUPPORTED',
	'TOKEN_INVALID',
	'BUNDLE_INVALID',
	'CERTIFICATE_INVALID',
	'ID_INVALID',
] as const
export type FaultCode = (typeof FAULT_CODES)[number]

export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
	return { ok: true, value }
}

export function fault(code: FaultCode, detail: string): { readonly ok: false; readonly error: ProtocolFault } {
	return { ok: false, error: { code, detail } }
}
