/** Noise's CipherState and SymmetricState (Noise revision 34, sections 5.1 and 5.2) as immutable values. */
import { concatBytes, EMPTY_BYTES } from '@sallyport/protocol'
import type { Crypto } from '../crypto/crypto-effects.ts'
import { hash, open, seal } from '../crypto/crypto-effects.ts'
import { noiseHkdf } from '../crypto/hkdf.ts'
import { noiseNonce } from '../crypto/nonce.ts'

export interface SymmetricState {
	readonly chainingKey: Uint8Array
	/** The transcript so far. */
	readonly hash: Uint8Array
	/** None before the first DH: payloads are then in clear. */
	readonly key: Uint8Array | undefined
	readonly nonce: number
}

const HASH_BYTES = 32

/** The names of both patterns fit into a hash's length; a longer one would be hashed, and throws. */
export function initializeSymmetric(protocolName: Uint8Array): SymmetricState {
	const padded = new Uint8Array(HASH_BYTES)
	padded.set(protocolName)
	return { chainingKey: padded, hash: padded, key: undefined, nonce: 0 }
}

export function* mixHash(state: SymmetricState, data: Uint8Array): Crypto<SymmetricState> {
	return { ...state, hash: yield* hash(concatBytes([state.hash, data])) }
}

export function* mixKey(state: SymmetricState, keyMaterial: Uint8Array): Crypto<SymmetricState> {
	const [chainingKey, key] = yield* noiseHkdf(state.chainingKey, keyMaterial)
	return { ...state, chainingKey, key, nonce: 0 }
}

export function* mixKeyAndHash(state: SymmetricState, keyMaterial: Uint8Array): Crypto<SymmetricState> {
	const [chainingKey, data, key] = yield* noiseHkdf(state.chainingKey, keyMaterial)
	const mixed = yield* mixHash({ ...state, chainingKey }, data)
	return { ...mixed, key, nonce: 0 }
}

export interface Mixed {
	readonly state: SymmetricState
	readonly bytes: Uint8Array
}

export function* encryptAndHash(state: SymmetricState, plaintext: Uint8Array): Crypto<Mixed> {
	if (state.key === undefined) return { state: yield* mixHash(state, plaintext), bytes: plaintext }
	const bytes = yield* seal(state.key, noiseNonce(state.nonce), state.hash, plaintext)
	return { state: yield* mixHash({ ...state, nonce: state.nonce + 1 }, bytes), bytes }
}

/** Gives nothing when the ciphertext doesn't belong to this transcript. */
export function* decryptAndHash(state: SymmetricState, ciphertext: Uint8Array): Crypto<Mixed | undefined> {
	if (state.key === undefined) return { state: yield* mixHash(state, ciphertext), bytes: ciphertext }
	const bytes = yield* open(state.key, noiseNonce(state.nonce), state.hash, ciphertext)
	if (bytes === undefined) return undefined
	return { state: yield* mixHash({ ...state, nonce: state.nonce + 1 }, ciphertext), bytes }
}

/** The keys for what the initiator and what the responder sends. */
export function* split(state: SymmetricState): Crypto<readonly [Uint8Array, Uint8Array]> {
	const [initiatorKey, responderKey] = yield* noiseHkdf(state.chainingKey, EMPTY_BYTES)
	return [initiatorKey, responderKey]
}
