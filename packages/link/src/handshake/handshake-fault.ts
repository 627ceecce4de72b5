import type { ProtocolFault, Result } from '@sallyport/protocol'
import type { NoiseFault, NoiseResult } from '../noise/noise.ts'

/** Why a handshake was refused; listed in `docs/errors.md`. */
export const HANDSHAKE_FAULT_CODES = [
	/** The first byte of a message names no suite of this version, or another than message 1 did. */
	'SUITE_UNSUPPORTED',
	'HANDSHAKE_TOO_LARGE',
	'HANDSHAKE_TRUNCATED',
	/** A message was altered, replayed, is of another handshake or node id, or was made with another secret. */
	'HANDSHAKE_FORGED',
	/** A public key of low order, which would make the shared secret known to everybody. */
	'KEY_REFUSED',
	'PAYLOAD_INVALID',
	'VERSION_UNSUPPORTED',
	/** The chosen version isn't the best that both sides know: something on the path took versions away. */
	'VERSION_DOWNGRADED',
	/** The third message's intent isn't the first's. */
	'INTENT_CHANGED',
	/** The first message names a secret that this node doesn't know (any more). */
	'SECRET_UNKNOWN',
	/** Not a certificate, or its signature is wrong. */
	'CERTIFICATE_REFUSED',
	'CERTIFICATE_ROLE_WRONG',
	'CERTIFICATE_NOT_YET_VALID',
	'CERTIFICATE_EXPIRED',
	/** Older than one that was seen before: an old link key may have been stolen. */
	'CERTIFICATE_SERIAL_OLD',
	/** The certificate is for another link key than the handshake was made with. */
	'CERTIFICATE_KEY_WRONG',
	/** The peer's identity key isn't the one behind the expected node id. */
	'NODE_KEY_CHANGED',
] as const
export type HandshakeFaultCode = (typeof HANDSHAKE_FAULT_CODES)[number]

export interface HandshakeFault {
	readonly code: HandshakeFaultCode
	/** For the log of the side that refuses; holds no secret. */
	readonly detail: string
}
export type HandshakeResult<T> = Result<T, HandshakeFault>

export function refuse(code: HandshakeFaultCode, detail: string): { readonly ok: false; readonly error: HandshakeFault } {
	return { ok: false, error: { code, detail } }
}

const NOISE_FAULTS: Record<NoiseFault, HandshakeFault> = {
	message_truncated: { code: 'HANDSHAKE_TRUNCATED', detail: 'handshake message is too short' },
	message_forged: { code: 'HANDSHAKE_FORGED', detail: 'handshake message was altered, or is of another node or secret' },
	key_refused: { code: 'KEY_REFUSED', detail: 'handshake message has a public key of low order' },
}

export function fromNoise<T>(result: NoiseResult<T>): HandshakeResult<T> {
	return result.ok ? result : { ok: false, error: NOISE_FAULTS[result.error] }
}

export function fromPayload<T>(result: Result<T, ProtocolFault>): HandshakeResult<T> {
	return result.ok ? result : refuse('PAYLOAD_INVALID', `handshake payload: ${result.error.detail}`)
}
