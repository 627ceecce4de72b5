import type { Crypto } from './crypto-effects.ts'
import { KEY_BYTES, seal } from './crypto-effects.ts'

export const NONCE_BYTES = 12
/** Noise reserves the nonce 2^64-1 for rekeying. */
export const REKEY_NONCE: Uint8Array = Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255)

/** Noise's AES-GCM nonce: four zero bytes, then the counter as u64 BE. */
export function noiseNonce(counter: number): Uint8Array {
	const nonce = new Uint8Array(NONCE_BYTES)
	writeNonce(nonce, counter)
	return nonce
}

/** Writes the counter into a nonce that the caller reuses; its first four bytes stay as they are. */
export function writeNonce(into: Uint8Array, counter: number): void {
	const high = Math.floor(counter / 2 ** 32)
	into[4] = high >>> 24
	into[5] = high >>> 16
	into[6] = high >>> 8
	into[7] = high
	into[8] = counter >>> 24
	into[9] = counter >>> 16
	into[10] = counter >>> 8
	into[11] = counter
}

/** Noise's REKEY: the next key follows from this one, and this one can't be had from the next. */
export function* nextKey(key: Uint8Array): Crypto<Uint8Array> {
	const sealed = yield* seal(key, REKEY_NONCE, new Uint8Array(0), new Uint8Array(KEY_BYTES))
	return sealed.slice(0, KEY_BYTES)
}
