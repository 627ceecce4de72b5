import { concatBytes } from '@sallyport/protocol'
import type { Crypto } from './crypto-effects.ts'
import { hmac } from './crypto-effects.ts'

/** HKDF-SHA-256 (RFC 5869) for one block of output: 32 bytes. */
export function* hkdf(secret: Uint8Array, salt: Uint8Array, info: Uint8Array): Crypto<Uint8Array> {
	const pseudoRandomKey = yield* hmac(salt, secret)
	return yield* hmac(pseudoRandomKey, concatBytes([info, Uint8Array.of(1)]))
}

/** Noise's HKDF: three outputs of 32 bytes, of which a caller may use the first two. */
export function* noiseHkdf(
	chainingKey: Uint8Array,
	keyMaterial: Uint8Array,
): Crypto<readonly [Uint8Array, Uint8Array, Uint8Array]> {
	const temporary = yield* hmac(chainingKey, keyMaterial)
	const first = yield* hmac(temporary, Uint8Array.of(1))
	const second = yield* hmac(temporary, concatBytes([first, Uint8Array.of(2)]))
	const third = yield* hmac(temporary, concatBytes([second, Uint8Array.of(3)]))
	return [first, second, third]
}
