/**
 * The Noise handshakes `XX` and `XXpsk3` over 25519, AES-GCM and SHA-256 (Noise revision 34): a pure state machine.
 * Bad input from the peer is a value; calls out of turn are mistakes of the caller and throw.
 *
 * ```
 * XX:      -> e          <- e, ee, s, es          -> s, se
 * XXpsk3:  -> e          <- e, ee, s, es          -> s, se, psk
 * ```
 */
import type { Result } from '@sallyport/protocol'
import { concatBytes, ok, utf8ToBytes } from '@sallyport/protocol'
import type { AgreementKey, Crypto } from '../crypto/crypto-effects.ts'
import { dh, generateAgreementKey, KEY_BYTES, TAG_BYTES } from '../crypto/crypto-effects.ts'
import type { SymmetricState } from './symmetric-state.ts'
import { decryptAndHash, encryptAndHash, initializeSymmetric, mixHash, mixKey, mixKeyAndHash, split } from './symmetric-state.ts'

export type NoisePattern = 'XX' | 'XXpsk3'
export type NoiseRole = 'initiator' | 'responder'
/** `key_refused`: a public key of the peer is of low order. */
export type NoiseFault = 'message_truncated' | 'message_forged' | 'key_refused'
export type NoiseResult<T> = Result<T, NoiseFault>

type KeyToken = 'ee' | 'es' | 'se'
type Token = 'e' | 's' | 'psk' | KeyToken
const MESSAGES: Record<NoisePattern, readonly (readonly Token[])[]> = {
	XX: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']],
	XXpsk3: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se', 'psk']],
}

export interface NoiseState {
	readonly pattern: NoisePattern
	readonly role: NoiseRole
	/** How many messages were written and read. */
	readonly messages: number
	readonly symmetric: SymmetricState
	readonly staticKey: AgreementKey
	readonly ephemeralKey?: AgreementKey
	readonly remoteStatic?: Uint8Array
	readonly remoteEphemeral?: Uint8Array
	/** Needed from the third message on; `XX` has none. */
	readonly psk?: Uint8Array
}

export interface NoiseOptions {
	readonly pattern: NoisePattern
	readonly role: NoiseRole
	readonly prologue: Uint8Array
	readonly staticKey: AgreementKey
}

export interface NoiseKeys {
	readonly initiatorKey: Uint8Array
	readonly responderKey: Uint8Array
	readonly handshakeHash: Uint8Array
}

export function* startNoise(options: NoiseOptions): Crypto<NoiseState> {
	const { pattern, role, prologue, staticKey } = options
	const named = initializeSymmetric(utf8ToBytes(`Noise_${pattern}_25519_AESGCM_SHA256`))
	return { pattern, role, messages: 0, symmetric: yield* mixHash(named, prologue), staticKey }
}

/** Sets the pre-shared key, 32 bytes, at any time before the third message. */
export function withPsk(state: NoiseState, psk: Uint8Array): NoiseState {
	if (psk.length !== KEY_BYTES) throw new RangeError(`psk of ${psk.length} bytes is not ${KEY_BYTES}`)
	return { ...state, psk }
}

export interface NoiseMessage {
	readonly state: NoiseState
	/** What to send. */
	readonly message: Uint8Array
}

export function* writeNoise(state: NoiseState, payload: Uint8Array): Crypto<NoiseResult<NoiseMessage>> {
	let current = state
	const parts: Uint8Array[] = []
	for (const token of turnTokens(state, 'write')) {
		const written = yield* writeToken(current, token)
		if (!written.ok) return written
		current = written.value.state
		parts.push(written.value.message)
	}
	const sealed = yield* encryptAndHash(current.symmetric, payload)
	parts.push(sealed.bytes)
	return ok({ state: { ...current, symmetric: sealed.state, messages: state.messages + 1 }, message: concatBytes(parts) })
}

export interface NoisePayload {
	readonly state: NoiseState
	readonly payload: Uint8Array
}

/** The given state stays good when the message is refused. */
export function* readNoise(state: NoiseState, message: Uint8Array): Crypto<NoiseResult<NoisePayload>> {
	let current = state
	let rest = message
	for (const token of turnTokens(state, 'read')) {
		const read = yield* readToken(current, token, rest)
		if (!read.ok) return read
		current = read.value.state
		rest = read.value.rest
	}
	const opened = yield* decryptAndHash(current.symmetric, rest)
	if (opened === undefined) return rest.length < TAG_BYTES ? refuse('message_truncated') : refuse('message_forged')
	return ok({ state: { ...current, symmetric: opened.state, messages: state.messages + 1 }, payload: opened.bytes })
}

/** After the last message. */
export function* finishNoise(state: NoiseState): Crypto<NoiseKeys> {
	if (state.messages !== MESSAGES[state.pattern].length) throw new Error(`handshake isn't over after ${state.messages} messages`)
	const [initiatorKey, responderKey] = yield* split(state.symmetric)
	return { initiatorKey, responderKey, handshakeHash: state.symmetric.hash }
}

function turnTokens(state: NoiseState, act: 'write' | 'read'): readonly Token[] {
	const tokens = MESSAGES[state.pattern][state.messages]
	const isInitiatorsTurn = state.messages % 2 === 0
	const isOurs = (state.role === 'initiator') === isInitiatorsTurn
	if (tokens === undefined || isOurs !== (act === 'write')) {
		throw new Error(`${state.role} can't ${act} as message ${state.messages + 1}`)
	}
	return tokens
}

function* writeToken(state: NoiseState, token: Token): Crypto<NoiseResult<NoiseMessage>> {
	switch (token) {
		case 'e': {
			const ephemeralKey = yield* generateAgreementKey()
			const symmetric = yield* mixEphemeral(state, ephemeralKey.publicKey)
			return ok({ state: { ...state, ephemeralKey, symmetric }, message: ephemeralKey.publicKey })
		}
		case 's': {
			const sealed = yield* encryptAndHash(state.symmetric, state.staticKey.publicKey)
			return ok({ state: { ...state, symmetric: sealed.state }, message: sealed.bytes })
		}
		case 'ee':
		case 'es':
		case 'se':
		case 'psk': {
			const mixed = yield* mixToken(state, token)
			return mixed.ok ? ok({ state: mixed.value, message: new Uint8Array(0) }) : mixed
		}
	}
}

interface TokenRead {
	readonly state: NoiseState
	readonly rest: Uint8Array
}

function* readToken(state: NoiseState, token: Token, message: Uint8Array): Crypto<NoiseResult<TokenRead>> {
	switch (token) {
		case 'e': {
			if (message.length < KEY_BYTES) return refuse('message_truncated')
			const remoteEphemeral = message.slice(0, KEY_BYTES)
			const symmetric = yield* mixEphemeral(state, remoteEphemeral)
			return ok({ state: { ...state, remoteEphemeral, symmetric }, rest: message.subarray(KEY_BYTES) })
		}
		case 's': {
			// Both patterns send `s` after the first DH, so it is always sealed.
			const length = KEY_BYTES + TAG_BYTES
			if (message.length < length) return refuse('message_truncated')
			const opened = yield* decryptAndHash(state.symmetric, message.subarray(0, length))
			if (opened === undefined) return refuse('message_forged')
			return ok({
				state: { ...state, remoteStatic: opened.bytes, symmetric: opened.state },
				rest: message.subarray(length),
			})
		}
		case 'ee':
		case 'es':
		case 'se':
		case 'psk': {
			const mixed = yield* mixToken(state, token)
			return mixed.ok ? ok({ state: mixed.value, rest: message }) : mixed
		}
	}
}

/** In psk patterns ephemeral keys also go into the chaining key. */
function* mixEphemeral(state: NoiseState, publicKey: Uint8Array): Crypto<SymmetricState> {
	const hashed = yield* mixHash(state.symmetric, publicKey)
	return state.pattern === 'XXpsk3' ? yield* mixKey(hashed, publicKey) : hashed
}

function* mixToken(state: NoiseState, token: KeyToken | 'psk'): Crypto<NoiseResult<NoiseState>> {
	if (token === 'psk') return ok({ ...state, symmetric: yield* mixKeyAndHash(state.symmetric, present(state.psk, 'psk')) })
	// A token names the initiator's key first, then the responder's.
	const [ours, theirs] = state.role === 'initiator' ? [token[0], token[1]] : [token[1], token[0]]
	const key = ours === 'e' ? present(state.ephemeralKey, 'ephemeral key') : state.staticKey
	const remote = present(theirs === 'e' ? state.remoteEphemeral : state.remoteStatic, 'remote key')
	const shared = yield* dh(key, remote)
	if (shared === undefined) return refuse('key_refused')
	return ok({ ...state, symmetric: yield* mixKey(state.symmetric, shared) })
}

function present<T>(value: T | undefined, name: string): T {
	if (value === undefined) throw new Error(`handshake has no ${name} yet`)
	return value
}

function refuse(error: NoiseFault): { readonly ok: false; readonly error: NoiseFault } {
	return { ok: false, error }
}
