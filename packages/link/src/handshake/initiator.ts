/**
 * The client's side of the handshake, in three steps: `openHandshake` gives message 1; `readReply` judges message 2 and
 * shows the node; `finishHandshake` gives message 3 and the keys. Nothing is decided about the node before the last step.
 */
import type { HandshakePayload1, HandshakePayload2, HandshakePayload3, Intent } from '@sallyport/protocol'
import { encodeHandshakePayload, ok, parseHandshakePayload2 } from '@sallyport/protocol'
import type { AgreementKey, Crypto } from '../crypto/crypto-effects.ts'
import type { NoiseState } from '../noise/noise.ts'
import { readNoise, startNoise, withPsk, writeNoise } from '../noise/noise.ts'
import type { VerifiedNode } from './certificates.ts'
import { verifyNodeCertificate } from './certificates.ts'
import type { HandshakeResult } from './handshake-fault.ts'
import { fromNoise, fromPayload } from './handshake-fault.ts'
import { handshakePrologue, unwrapHandshake, wrapHandshake } from './handshake-message.ts'
import type { LinkKeys } from './link-keys.ts'
import { linkKeys } from './link-keys.ts'
import type { PairingSecret } from './link-psk.ts'
import { linkPsk, NO_PSK } from './link-psk.ts'
import { checkVersion, LINK_VERSIONS } from './version.ts'

export interface InitiatorOptions {
	/** The node to reach: a peer that can't prove its key is refused. */
	readonly nodeId: string
	/** The device's link key. */
	readonly linkKey: AgreementKey
	readonly intent: Intent
	/** Only with intent `pair`. */
	readonly secret?: PairingSecret
	/** @default `LINK_VERSIONS` */
	readonly versions?: readonly number[]
}

export interface InitiatorOpened {
	readonly noise: NoiseState
	readonly nodeId: string
	readonly intent: Intent
	readonly versions: readonly number[]
	readonly psk: Uint8Array
}

/** Message 1, readable by anyone on the path. */
export function* openHandshake(
	options: InitiatorOptions,
): Crypto<HandshakeResult<{ readonly state: InitiatorOpened; readonly message: Uint8Array }>> {
	const { nodeId, linkKey, intent, secret, versions = LINK_VERSIONS } = options
	if (secret !== undefined && intent !== 'pair') throw new Error(`a pairing secret has no place in intent ${intent}`)
	const psk = secret === undefined ? NO_PSK : yield* linkPsk(secret)
	const payload: HandshakePayload1 = { versions: [...versions], intent, ...(secret && { secret_id: secret.id }) }
	const prologue = handshakePrologue(nodeId)
	const started = yield* startNoise({ pattern: 'XXpsk3', role: 'initiator', prologue, staticKey: linkKey })
	const written = wrapHandshake(yield* writeNoise(started, encodeHandshakePayload(payload)))
	if (!written.ok) return written
	return ok({ state: { noise: written.value.state, nodeId, intent, versions, psk }, message: written.value.message })
}

export interface InitiatorReplied {
	readonly noise: NoiseState
	readonly intent: Intent
	readonly psk: Uint8Array
	readonly node: VerifiedNode
	readonly payload: HandshakePayload2
}

/** Judges message 2: the node's key, certificate and choice of version. */
export function* readReply(
	state: InitiatorOpened,
	message: Uint8Array,
	check: { readonly nowMs: number; readonly lastSerial?: number },
): Crypto<HandshakeResult<InitiatorReplied>> {
	const noiseMessage = unwrapHandshake(message)
	if (!noiseMessage.ok) return noiseMessage
	const read = fromNoise(yield* readNoise(state.noise, noiseMessage.value))
	if (!read.ok) return read
	const payload = fromPayload(parseHandshakePayload2(read.value.payload))
	if (!payload.ok) return payload
	const linkKey = provedKey(read.value.state)
	const node = yield* verifyNodeCertificate(payload.value.certificate, { ...check, nodeId: state.nodeId, linkKey })
	if (!node.ok) return node
	const version = checkVersion(state.versions, payload.value.versions, payload.value.version)
	if (!version.ok) return version
	const { intent, psk } = state
	return ok({ noise: read.value.state, intent, psk, node: node.value, payload: payload.value })
}

export interface InitiatorFinished {
	readonly message: Uint8Array
	readonly keys: LinkKeys
}

/** Message 3 and the link's keys. May be called once: afterwards the state is spent. */
export function* finishHandshake(
	state: InitiatorReplied,
	payload: HandshakePayload3,
): Crypto<HandshakeResult<InitiatorFinished>> {
	if (payload.intent !== state.intent) throw new Error(`handshake was opened to ${state.intent}, not to ${payload.intent}`)
	const written = wrapHandshake(yield* writeNoise(withPsk(state.noise, state.psk), encodeHandshakePayload(payload)))
	if (!written.ok) return written
	return ok({ message: written.value.message, keys: yield* linkKeys(written.value.state) })
}

/** The peer's static key, which every message that carries `s` has set. */
export function provedKey(state: NoiseState): Uint8Array {
	if (state.remoteStatic === undefined) throw new Error('peer has not shown its static key yet')
	return state.remoteStatic
}
