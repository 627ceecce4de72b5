import type { Crypto, CryptoOp, CryptoResult } from '@sallyport/link'

export type MaybePromise<T> = T | Promise<T>

/** One direction of a connection. Counters are the caller's: each is used once, in rising order. */
export interface RecordCipher {
	/** Seals the parts as one plaintext: ciphertext, then a 16-byte tag, in a buffer of its own. */
	seal(counter: number, parts: readonly Uint8Array[]): MaybePromise<Uint8Array>
	/** Undefined: this isn't the record that was sealed under this key and counter. */
	open(counter: number, record: Uint8Array): MaybePromise<Uint8Array | undefined>
	/** Every later `seal` and `open` uses the next key. */
	rekey(): void
	/** Forgets the key; what is in flight still ends. Idempotent. */
	wipe(): void
}

/** What computes for the core of `@sallyport/link`: `createNodeCrypto` at once, `createWebCrypto` later. */
export interface CryptoDriver {
	perform(op: CryptoOp): MaybePromise<CryptoResult>
	/** Takes over `key`, 32 bytes, and wipes it. */
	createRecordCipher(key: Uint8Array): MaybePromise<RecordCipher>
}

/** A driver that never makes its caller wait. */
export interface SyncCryptoDriver extends CryptoDriver {
	perform(op: CryptoOp): CryptoResult
	createRecordCipher(key: Uint8Array): RecordCipher
}

/** Runs a computation to its end. Rejects only when the driver itself fails. */
export async function runCrypto<T>(driver: CryptoDriver, work: Crypto<T>): Promise<T> {
	let step = work.next()
	while (step.done !== true) {
		const result = driver.perform(step.value)
		step = work.next(result instanceof Promise ? await result : result)
	}
	return step.value
}

/** Runs a computation to its end, at once. */
export function runCryptoSync<T>(driver: SyncCryptoDriver, work: Crypto<T>): T {
	let step = work.next()
	while (step.done !== true) step = work.next(driver.perform(step.value))
	return step.value
}
