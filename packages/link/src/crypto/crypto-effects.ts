/**
 * Crypto as effects: a computation yields operations and gets their results back, so that one core runs on
 * `node:crypto` at once and on WebCrypto later. Private keys are handles that only their driver can use.
 */

/** A handle on an X25519 private key. Only the driver that made it can compute with it. */
export interface AgreementKey {
	readonly algorithm: 'x25519'
	readonly publicKey: Uint8Array
}

/** A handle on an Ed25519 private key. Only the driver that made it can compute with it. */
export interface SigningKey {
	readonly algorithm: 'ed25519'
	readonly publicKey: Uint8Array
}

/** One operation that a driver performs. Ciphertexts of `seal` and `open` end in a 16-byte tag (AES-256-GCM). */
export type CryptoOp =
	| { readonly kind: 'generate_agreement_key' }
	| { readonly kind: 'generate_signing_key' }
	| { readonly kind: 'dh'; readonly key: AgreementKey; readonly publicKey: Uint8Array }
	| { readonly kind: 'hash'; readonly data: Uint8Array }
	| { readonly kind: 'hmac'; readonly key: Uint8Array; readonly data: Uint8Array }
	| {
			readonly kind: 'seal'
			readonly key: Uint8Array
			readonly nonce: Uint8Array
			readonly associatedData: Uint8Array
			readonly plaintext: Uint8Array
	  }
	| {
			readonly kind: 'open'
			readonly key: Uint8Array
			readonly nonce: Uint8Array
			readonly associatedData: Uint8Array
			readonly ciphertext: Uint8Array
	  }
	| { readonly kind: 'sign'; readonly key: SigningKey; readonly message: Uint8Array }
	| { readonly kind: 'verify'; readonly publicKey: Uint8Array; readonly message: Uint8Array; readonly signature: Uint8Array }
	| { readonly kind: 'random'; readonly length: number }

/** What a driver answers. `failed`: the input was bad (a forged ciphertext, a public key of low order). */
export type CryptoResult =
	| { readonly kind: 'bytes'; readonly bytes: Uint8Array }
	| { readonly kind: 'agreement_key'; readonly key: AgreementKey }
	| { readonly kind: 'signing_key'; readonly key: SigningKey }
	| { readonly kind: 'verdict'; readonly isValid: boolean }
	| { readonly kind: 'failed' }

/** A computation that needs crypto; a driver's `run` performs it. */
export type Crypto<T> = Generator<CryptoOp, T, CryptoResult>

export const TAG_BYTES = 16
export const KEY_BYTES = 32

export function* generateAgreementKey(): Crypto<AgreementKey> {
	const result = yield { kind: 'generate_agreement_key' }
	return result.kind === 'agreement_key' ? result.key : mismatched('generate_agreement_key', result)
}

export function* generateSigningKey(): Crypto<SigningKey> {
	const result = yield { kind: 'generate_signing_key' }
	return result.kind === 'signing_key' ? result.key : mismatched('generate_signing_key', result)
}

/** X25519. Gives nothing for a public key of low order: an all-zero result is refused, whatever the driver does. */
export function* dh(key: AgreementKey, publicKey: Uint8Array): Crypto<Uint8Array | undefined> {
	const shared = yield* bytesOrFailure({ kind: 'dh', key, publicKey })
	return shared === undefined || isAllZero(shared) ? undefined : shared
}

/** SHA-256. */
export function hash(data: Uint8Array): Crypto<Uint8Array> {
	return bytes({ kind: 'hash', data })
}

/** HMAC-SHA-256. */
export function hmac(key: Uint8Array, data: Uint8Array): Crypto<Uint8Array> {
	return bytes({ kind: 'hmac', key, data })
}

/** AES-256-GCM: ciphertext, then the tag. */
export function seal(key: Uint8Array, nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array): Crypto<Uint8Array> {
	return bytes({ kind: 'seal', key, nonce, associatedData, plaintext })
}

/** Gives nothing when the ciphertext, the nonce, the data or the key isn't the one that was sealed. */
export function* open(
	key: Uint8Array,
	nonce: Uint8Array,
	associatedData: Uint8Array,
	ciphertext: Uint8Array,
): Crypto<Uint8Array | undefined> {
	if (ciphertext.length < TAG_BYTES) return undefined
	return yield* bytesOrFailure({ kind: 'open', key, nonce, associatedData, ciphertext })
}

/** Ed25519 (RFC 8032). */
export function sign(key: SigningKey, message: Uint8Array): Crypto<Uint8Array> {
	return bytes({ kind: 'sign', key, message })
}

/** False for a wrong signature and for a public key that isn't one. */
export function* verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Crypto<boolean> {
	const result = yield { kind: 'verify', publicKey, message, signature }
	if (result.kind === 'failed') return false
	return result.kind === 'verdict' ? result.isValid : mismatched('verify', result)
}

export function random(length: number): Crypto<Uint8Array> {
	return bytes({ kind: 'random', length })
}

function* bytes(op: CryptoOp): Crypto<Uint8Array> {
	const result = yield op
	return result.kind === 'bytes' ? result.bytes : mismatched(op.kind, result)
}

function* bytesOrFailure(op: CryptoOp): Crypto<Uint8Array | undefined> {
	const result = yield op
	if (result.kind === 'failed') return undefined
	return result.kind === 'bytes' ? result.bytes : mismatched(op.kind, result)
}

function mismatched(asked: CryptoOp['kind'], result: CryptoResult): never {
	throw new TypeError(`crypto driver answered ${asked} with ${result.kind}`)
}

function isAllZero(data: Uint8Array): boolean {
	let bits = 0
	for (const byte of data) bits |= byte
	return bits === 0
}
