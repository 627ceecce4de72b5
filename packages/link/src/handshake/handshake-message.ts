/** What surrounds the Noise messages: the suite byte before each, and the prologue that both sides must share. */
import {
	concatBytes,
	HANDSHAKE_LABEL,
	LIMITS,
	lengthPrefixed,
	ok,
	SUITE_25519_AESGCM_SHA256,
	utf8ToBytes,
} from '@sallyport/protocol'
import type { NoiseMessage, NoiseResult } from '../noise/noise.ts'
import type { HandshakeResult } from './handshake-fault.ts'
import { fromNoise, refuse } from './handshake-fault.ts'

const SUITE = Uint8Array.of(SUITE_25519_AESGCM_SHA256)

/** Binds label, suite and the node that the initiator means to reach. */
export function handshakePrologue(nodeId: string): Uint8Array {
	return lengthPrefixed([utf8ToBytes(HANDSHAKE_LABEL), SUITE, utf8ToBytes(nodeId)])
}

/** Puts the suite before what Noise wrote. */
export function wrapHandshake(written: NoiseResult<NoiseMessage>): HandshakeResult<NoiseMessage> {
	if (!written.ok) return fromNoise(written)
	const message = concatBytes([SUITE, written.value.message])
	return message.length > LIMITS.handshakeMessageBytes ? tooLarge(message.length) : ok({ state: written.value.state, message })
}

/** Gives a view of the Noise message. */
export function unwrapHandshake(message: Uint8Array): HandshakeResult<Uint8Array> {
	if (message.length > LIMITS.handshakeMessageBytes) return tooLarge(message.length)
	if (message.length === 0) return refuse('HANDSHAKE_TRUNCATED', 'handshake message is empty')
	if (message[0] !== SUITE[0]) return refuse('SUITE_UNSUPPORTED', `suite ${message[0]} is not supported`)
	return ok(message.subarray(1))
}

function tooLarge(length: number): HandshakeResult<never> {
	return refuse('HANDSHAKE_TOO_LARGE', `handshake message of ${length} bytes exceeds ${LIMITS.handshakeMessageBytes}`)
}
