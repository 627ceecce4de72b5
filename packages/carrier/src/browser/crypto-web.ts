import type { AgreementKey, CryptoOp, CryptoResult, SigningKey } from '@sallyport/link'
import { KEY_BYTES, noiseNonce, REKEY_NONCE, TAG_BYTES } from '@sallyport/link'
import { concatBytes } from '@sallyport/protocol'
import type { CryptoDriver, RecordCipher } from '../crypto/crypto-driver.ts'

const AES = 'AES-GCM'
const TAG_BITS = TAG_BYTES * 8
/** Failures that the input causes; all others are the platform's and are thrown. */
const INPUT_FAILURES = ['OperationError', 'DataError']

/**
 * Crypto by WebCrypto: browsers, and Node for tests. Private keys are non-extractable.
 *
 * @throws {Error} when the page has no WebCrypto, which browsers give to https and loopback pages only
 */
export function createWebCrypto(subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle): CryptoDriver {
	if (subtle === undefined)
		throw new Error('this page has no WebCrypto: open it by https, or from this machine by http://127.0.0.1 or localhost')
	return {
		perform: (op) => perform(subtle, op),
		createRecordCipher: async (key) => {
			const first = await importAesKey(subtle, key)
			key.fill(0)
			return new WebRecordCipher(subtle, first)
		},
	}
}

/** An X25519 key of this driver; the `CryptoKey` can be kept in IndexedDB. */
export class WebAgreementKey implements AgreementKey {
	readonly algorithm = 'x25519'
	readonly publicKey: Uint8Array
	readonly privateKey: CryptoKey

	constructor(publicKey: Uint8Array, privateKey: CryptoKey) {
		this.publicKey = publicKey
		this.privateKey = privateKey
	}
}

/** An Ed25519 key of this driver; the `CryptoKey` can be kept in IndexedDB. */
export class WebSigningKey implements SigningKey {
	readonly algorithm = 'ed25519'
	readonly publicKey: Uint8Array
	readonly privateKey: CryptoKey

	constructor(publicKey: Uint8Array, privateKey: CryptoKey) {
		this.publicKey = publicKey
		this.privateKey = privateKey
	}
}

async function perform(subtle: SubtleCrypto, op: CryptoOp): Promise<CryptoResult> {
	switch (op.kind) {
		case 'generate_agreement_key': {
			const pair = await generatePair(subtle, 'X25519', ['deriveBits'])
			return { kind: 'agreement_key', key: new WebAgreementKey(pair.publicKey, pair.privateKey) }
		}
		case 'generate_signing_key': {
			const pair = await generatePair(subtle, 'Ed25519', ['sign', 'verify'])
			return { kind: 'signing_key', key: new WebSigningKey(pair.publicKey, pair.privateKey) }
		}
		case 'dh':
			if (!(op.key instanceof WebAgreementKey)) throw foreignKey()
			return bytesOrFailed(agree(subtle, op.key.privateKey, op.publicKey))
		case 'hash':
			return bytesResult(await subtle.digest('SHA-256', source(op.data)))
		case 'hmac': {
			const key = await subtle.importKey('raw', source(op.key), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
			return bytesResult(await subtle.sign('HMAC', key, source(op.data)))
		}
		case 'seal': {
			const key = await importAesKey(subtle, op.key)
			return bytesResult(await subtle.encrypt(aesParams(op.nonce, op.associatedData), key, source(op.plaintext)))
		}
		case 'open': {
			const key = await importAesKey(subtle, op.key)
			return bytesOrFailed(subtle.decrypt(aesParams(op.nonce, op.associatedData), key, source(op.ciphertext)))
		}
		case 'sign':
			if (!(op.key instanceof WebSigningKey)) throw foreignKey()
			return bytesResult(await subtle.sign('Ed25519', op.key.privateKey, source(op.message)))
		case 'verify':
			return verify(subtle, op)
		case 'random':
			return { kind: 'bytes', bytes: globalThis.crypto.getRandomValues(new Uint8Array(op.length)) }
	}
}

function foreignKey(): TypeError {
	return new TypeError('this key is of another crypto driver')
}

async function generatePair(
	subtle: SubtleCrypto,
	name: 'X25519' | 'Ed25519',
	usages: KeyUsage[],
): Promise<{ readonly publicKey: Uint8Array; readonly privateKey: CryptoKey }> {
	const pair = await subtle.generateKey({ name }, false, usages)
	if (!('privateKey' in pair)) throw new TypeError(`WebCrypto made no ${name} key pair`)
	return { publicKey: new Uint8Array(await subtle.exportKey('raw', pair.publicKey)), privateKey: pair.privateKey }
}

async function agree(subtle: SubtleCrypto, privateKey: CryptoKey, publicKey: Uint8Array): Promise<ArrayBuffer> {
	const peer = await subtle.importKey('raw', source(publicKey), { name: 'X25519' }, false, [])
	return subtle.deriveBits({ name: 'X25519', public: peer }, privateKey, KEY_BYTES * 8)
}

async function verify(subtle: SubtleCrypto, op: Extract<CryptoOp, { kind: 'verify' }>): Promise<CryptoResult> {
	try {
		const key = await subtle.importKey('raw', source(op.publicKey), { name: 'Ed25519' }, false, ['verify'])
		return { kind: 'verdict', isValid: await subtle.verify('Ed25519', key, source(op.signature), source(op.message)) }
	} catch (error) {
		return failedByInput(error)
	}
}

async function bytesOrFailed(work: Promise<ArrayBuffer>): Promise<CryptoResult> {
	try {
		return bytesResult(await work)
	} catch (error) {
		return failedByInput(error)
	}
}

function failedByInput(error: unknown): CryptoResult {
	if (isInputFailure(error)) return { kind: 'failed' }
	throw error
}

function isInputFailure(error: unknown): boolean {
	return error instanceof DOMException && INPUT_FAILURES.includes(error.name)
}

function bytesResult(buffer: ArrayBuffer): CryptoResult {
	return { kind: 'bytes', bytes: new Uint8Array(buffer) }
}

function importAesKey(subtle: SubtleCrypto, raw: Uint8Array): Promise<CryptoKey> {
	return subtle.importKey('raw', source(raw), AES, false, ['encrypt', 'decrypt'])
}

function aesParams(nonce: Uint8Array, associatedData?: Uint8Array): AesGcmParams {
	const params = { name: AES, iv: source(nonce), tagLength: TAG_BITS }
	return associatedData === undefined ? params : { ...params, additionalData: source(associatedData) }
}

/** WebCrypto takes no shared memory; none is used here, but the type must be proven. */
function source(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
	return isUnshared(bytes) ? bytes : new Uint8Array(bytes)
}

function isUnshared(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
	return bytes.buffer instanceof ArrayBuffer
}

/** A key that is there, or on its way: the next one is derived ahead, so that a rekey costs no wait. */
interface KeyStep {
	readonly promise: Promise<CryptoKey>
	key?: CryptoKey
}

class WebRecordCipher implements RecordCipher {
	readonly #subtle: SubtleCrypto
	#current: KeyStep | undefined
	#next: KeyStep | undefined

	constructor(subtle: SubtleCrypto, key: CryptoKey) {
		this.#subtle = subtle
		this.#current = { key, promise: Promise.resolve(key) }
		this.#next = deriveStep(subtle, this.#current)
	}

	seal(counter: number, parts: readonly Uint8Array[]): Promise<Uint8Array> {
		const [only] = parts
		const plaintext = parts.length === 1 && only !== undefined ? only : concatBytes(parts)
		return this.#withKey(plaintext, (key, data) => this.#subtle.encrypt(aesParams(noiseNonce(counter)), key, data))
	}

	async open(counter: number, record: Uint8Array): Promise<Uint8Array | undefined> {
		if (record.length < TAG_BYTES) return undefined
		try {
			return await this.#withKey(record, (key, data) => this.#subtle.decrypt(aesParams(noiseNonce(counter)), key, data))
		} catch (error) {
			if (isInputFailure(error)) return undefined
			throw error
		}
	}

	rekey(): void {
		const current = this.#next
		if (current === undefined) throw new Error('record cipher was wiped')
		this.#current = current
		this.#next = deriveStep(this.#subtle, current)
	}

	wipe(): void {
		this.#current = undefined
		this.#next = undefined
	}

	/** WebCrypto copies its input when called; while the key is on its way, the copy is made here. */
	async #withKey(
		data: Uint8Array,
		work: (key: CryptoKey, data: Uint8Array<ArrayBuffer>) => Promise<ArrayBuffer>,
	): Promise<Uint8Array> {
		const step = this.#current
		if (step === undefined) throw new Error('record cipher was wiped')
		if (step.key !== undefined) return new Uint8Array(await work(step.key, source(data)))
		const copy = new Uint8Array(data)
		return new Uint8Array(await work(await step.promise, copy))
	}
}

function deriveStep(subtle: SubtleCrypto, before: KeyStep): KeyStep {
	const step: { promise: Promise<CryptoKey>; key?: CryptoKey } = {
		promise: before.promise.then(async (key) => {
			const sealed = new Uint8Array(await subtle.encrypt(aesParams(REKEY_NONCE), key, new Uint8Array(KEY_BYTES)))
			const made = await importAesKey(subtle, sealed.subarray(0, KEY_BYTES))
			sealed.fill(0)
			step.key = made
			return made
		}),
	}
	// Whoever needs this key meets the failure; nobody may ever need it.
	step.promise.catch(() => undefined)
	return step
}
