/**
 * The node's side of the handshake, in three steps: `readOpening` judges message 1; `replyHandshake` gives message 2;
 * `readFinish` judges message 3 and gives the keys. Until then nothing may change at the node: message 1 can be replayed
 * by anyone.
 */
import type { HandshakePayload1, HandshakePayload2, HandshakePayload3 } from '@sallyport/protocol'
import { encodeHandshakePayload, ok, parseHandshakePayload1, parseHandshakePayload3 } from '@sallyport/protocol'
import type { AgreementKey, Crypto } from '../crypto/crypto-effects.ts'
import type { NoiseState } from '../noise/noise.ts'
import { readNoise, startNoise, withPsk, writeNoise } from '../noise/noise.ts'
import type { VerifiedDevice } from './certificates.ts'
import { verifyDeviceCertificate } from './certificates.ts'
import type { HandshakeResult } from './handshake-fault.ts'
import { fromNoise, fromPayload, refuse } from './handshake-fault.ts'
import { handshakePrologue, unwrapHandshake, wrapHandshake } from './handshake-message.ts'
import { provedKey } from './initiator.ts'
import type { LinkKeys } from './link-keys.ts'
import { linkKeys } from './link-keys.ts'
import { chooseVersion, LINK_VERSIONS } from './version.ts'

export interface ResponderOptions {
	readonly nodeId: string
	/** The node's link key. */
	readonly linkKey: AgreementKey
	/** @default `LINK_VERSIONS` */
	readonly versions?: readonly number[]
}

export interface ResponderOpened {
	readonly noise: NoiseState
	readonly version: number
	readonly versions: readonly number[]
	readonly payload: HandshakePayload1
}

/** Judges message 1. Its `secret_id` selects the psk for the next step. */
export function* readOpening(options: ResponderOptions, message: Uint8Array): Crypto<HandshakeResult<ResponderOpened>> {
	const { nodeId, linkKey, versions = LINK_VERSIONS } = options
	const noiseMessage = unwrapHandshake(message)
	if (!noiseMessage.ok) return noiseMessage
	const prologue = handshakePrologue(nodeId)
	const started = yield* startNoise({ pattern: 'XXpsk3', role: 'responder', prologue, staticKey: linkKey })
	const read = fromNoise(yield* readNoise(started, noiseMessage.value))
	if (!read.ok) return read
	const payload = fromPayload(parseHandshakePayload1(read.value.payload))
	if (!payload.ok) return payload
	if (payload.value.secret_id !== undefined && payload.value.intent !== 'pair')
		return refuse('PAYLOAD_INVALID', `handshake payload: a secret has no place in intent ${payload.value.intent}`)
	const version = chooseVersion(versions, payload.value.versions)
	if (!version.ok) return version
	return ok({ noise: read.value.state, version: version.value, versions, payload: payload.value })
}

export interface ResponderReply {
	readonly psk: Uint8Array
	readonly certificate: Uint8Array
	readonly features: readonly string[]
}

export interface ResponderReplied {
	readonly noise: NoiseState
	readonly payload1: HandshakePayload1
}

/** Message 2. */
export function* replyHandshake(
	state: ResponderOpened,
	reply: ResponderReply,
): Crypto<HandshakeResult<{ readonly state: ResponderReplied; readonly message: Uint8Array }>> {
	const { version, versions } = state
	const payload: HandshakePayload2 = {
		version,
		versions: [...versions],
		features: [...reply.features],
		certificate: reply.certificate,
	}
	const written = wrapHandshake(yield* writeNoise(withPsk(state.noise, reply.psk), encodeHandshakePayload(payload)))
	if (!written.ok) return written
	return ok({ state: { noise: written.value.state, payload1: state.payload }, message: written.value.message })
}

export interface ResponderFinished {
	readonly device: VerifiedDevice
	readonly payload: HandshakePayload3
	readonly keys: LinkKeys
}

/** Judges message 3. The device's serial is the caller's to judge: `checkSerial`. */
export function* readFinish(
	state: ResponderReplied,
	message: Uint8Array,
	check: { readonly nowMs: number },
): Crypto<HandshakeResult<ResponderFinished>> {
	const noiseMessage = unwrapHandshake(message)
	if (!noiseMessage.ok) return noiseMessage
	const read = fromNoise(yield* readNoise(state.noise, noiseMessage.value))
	if (!read.ok) return read
	const payload = fromPayload(parseHandshakePayload3(read.value.payload))
	if (!payload.ok) return payload
	const { intent, certificate } = payload.value
	if (intent !== state.payload1.intent)
		return refuse('INTENT_CHANGED', `handshake was opened to ${state.payload1.intent}, and finished to ${intent}`)
	const device = yield* verifyDeviceCertificate(certificate, { linkKey: provedKey(read.value.state), nowMs: check.nowMs })
	if (!device.ok) return device
	return ok({ device: device.value, payload: payload.value, keys: yield* linkKeys(read.value.state) })
}
