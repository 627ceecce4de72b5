import type { KeyObject } from 'node:crypto'
import {
	createCipheriv,
	createDecipheriv,
	createHash,
	createHmac,
	createPrivateKey,
	createPublicKey,
	diffieHellman,
	generateKeyPairSync,
	randomBytes,
	sign,
	verify,
} from 'node:crypto'
import type { AgreementKey, CryptoOp, CryptoResult, SigningKey } from '@sallyport/link'
import { nextKey, TAG_BYTES, writeNonce } from '@sallyport/link'
import type { RecordCipher, SyncCryptoDriver } from '../crypto/crypto-driver.ts'
import { runCryptoSync } from '../crypto/crypto-driver.ts'

const CIPHER = 'aes-256-gcm'
const TAG_OPTIONS = { authTagLength: TAG_BYTES }
const RAW_KEY_BYTES = 32
/** What stands before the 32 raw bytes in DER (RFC 8410): SubjectPublicKeyInfo and PKCS #8. */
const DER = {
	x25519: { spki: '302a300506032b656e032100', pkcs8: '302e020100300506032b656e04220420' },
	ed25519: { spki: '302a300506032b6570032100', pkcs8: '302e020100300506032b657004220420' },
} as const
type Algorithm = keyof typeof DER

/** Crypto by `node:crypto`: synchronous, and the fastest there is in Node. */
export function createNodeCrypto(): SyncCryptoDriver {
	return { perform, createRecordCipher: (key) => new NodeRecordCipher(key) }
}

class NodeKey {
	readonly publicKey: Uint8Array
	readonly privateKey: KeyObject

	constructor(privateKey: KeyObject) {
		this.privateKey = privateKey
		const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
		this.publicKey = new Uint8Array(spki.subarray(-RAW_KEY_BYTES))
	}

	/** The 32 raw bytes of the private key: for storage alone. */
	exportPrivate(): Uint8Array {
		return new Uint8Array(this.privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-RAW_KEY_BYTES))
	}

	/** Keeps private keys out of logs. */
	toJSON(): string {
		return '[redacted]'
	}
}

/** An X25519 key of this driver. */
export class NodeAgreementKey extends NodeKey implements AgreementKey {
	readonly algorithm = 'x25519'
}

/** An Ed25519 key of this driver. */
export class NodeSigningKey extends NodeKey implements SigningKey {
	readonly algorithm = 'ed25519'
}

/** Makes a handle of 32 raw bytes. */
export function importNodeAgreementKey(raw: Uint8Array): NodeAgreementKey {
	return new NodeAgreementKey(privateFromRaw('x25519', raw))
}

/** Makes a handle of a 32-byte seed (RFC 8032). */
export function importNodeSigningKey(raw: Uint8Array): NodeSigningKey {
	return new NodeSigningKey(privateFromRaw('ed25519', raw))
}

function perform(op: CryptoOp): CryptoResult {
	switch (op.kind) {
		case 'generate_agreement_key':
			return { kind: 'agreement_key', key: new NodeAgreementKey(generateKeyPairSync('x25519').privateKey) }
		case 'generate_signing_key':
			return { kind: 'signing_key', key: new NodeSigningKey(generateKeyPairSync('ed25519').privateKey) }
		case 'dh':
			return agree(ownKey(op.key, NodeAgreementKey), op.publicKey)
		case 'hash':
			return bytesResult(createHash('sha256').update(op.data).digest())
		case 'hmac':
			return bytesResult(createHmac('sha256', op.key).update(op.data).digest())
		case 'seal': {
			const cipher = createCipheriv(CIPHER, op.key, op.nonce, TAG_OPTIONS).setAAD(op.associatedData)
			return bytesResult(Buffer.concat([cipher.update(op.plaintext), cipher.final(), cipher.getAuthTag()]))
		}
		case 'open':
			return openOnce(op)
		case 'sign':
			return bytesResult(sign(null, op.message, ownKey(op.key, NodeSigningKey)))
		case 'verify': {
			if (op.publicKey.length !== RAW_KEY_BYTES) return { kind: 'failed' }
			return { kind: 'verdict', isValid: verify(null, op.message, publicFromRaw('ed25519', op.publicKey), op.signature) }
		}
		case 'random':
			return bytesResult(randomBytes(op.length))
	}
}

function ownKey(key: AgreementKey | SigningKey, kind: typeof NodeAgreementKey | typeof NodeSigningKey): KeyObject {
	if (!(key instanceof kind)) throw new TypeError('this key is of another crypto driver')
	return key.privateKey
}

function agree(privateKey: KeyObject, publicKey: Uint8Array): CryptoResult {
	if (publicKey.length !== RAW_KEY_BYTES) return { kind: 'failed' }
	try {
		return bytesResult(diffieHellman({ privateKey, publicKey: publicFromRaw('x25519', publicKey) }))
	} catch {
		// OpenSSL derives nothing from a point of low order; there is no other failure.
		return { kind: 'failed' }
	}
}

function openOnce(op: Extract<CryptoOp, { kind: 'open' }>): CryptoResult {
	const decipher = createDecipheriv(CIPHER, op.key, op.nonce, TAG_OPTIONS).setAAD(op.associatedData)
	decipher.setAuthTag(op.ciphertext.subarray(-TAG_BYTES))
	const plaintext = decipher.update(op.ciphertext.subarray(0, -TAG_BYTES))
	try {
		decipher.final()
		return bytesResult(plaintext)
	} catch {
		// The one failure of `final` is that the tag doesn't fit.
		return { kind: 'failed' }
	}
}

function bytesResult(bytes: Uint8Array): CryptoResult {
	// A plain Uint8Array of its own: Buffer.slice and pooled memory are surprises outside Node adapters.
	return { kind: 'bytes', bytes: new Uint8Array(bytes) }
}

function privateFromRaw(algorithm: Algorithm, raw: Uint8Array): KeyObject {
	if (raw.length !== RAW_KEY_BYTES) throw new RangeError(`${algorithm} key of ${raw.length} bytes is not ${RAW_KEY_BYTES}`)
	const der = Buffer.concat([Buffer.from(DER[algorithm].pkcs8, 'hex'), raw])
	const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
	der.fill(0)
	return key
}

function publicFromRaw(algorithm: Algorithm, raw: Uint8Array): KeyObject {
	const der = Buffer.concat([Buffer.from(DER[algorithm].spki, 'hex'), raw])
	return createPublicKey({ key: der, format: 'der', type: 'spki' })
}

const NODE_CRYPTO = createNodeCrypto()

/** The hot path: one allocation and one copy of the ciphertext for each record sealed, no copy for each opened. */
class NodeRecordCipher implements RecordCipher {
	#key: Uint8Array | undefined
	readonly #nonce = new Uint8Array(12)

	constructor(key: Uint8Array) {
		this.#key = key
	}

	seal(counter: number, parts: readonly Uint8Array[]): Uint8Array {
		writeNonce(this.#nonce, counter)
		const cipher = createCipheriv(CIPHER, this.#liveKey(), this.#nonce, TAG_OPTIONS)
		let length = TAG_BYTES
		for (const part of parts) length += part.length
		const record = Buffer.allocUnsafe(length)
		let offset = 0
		for (const part of parts) {
			record.set(cipher.update(part), offset)
			offset += part.length
		}
		cipher.final()
		record.set(cipher.getAuthTag(), offset)
		return record
	}

	open(counter: number, record: Uint8Array): Uint8Array | undefined {
		const end = record.length - TAG_BYTES
		if (end < 0) return undefined
		writeNonce(this.#nonce, counter)
		const decipher = createDecipheriv(CIPHER, this.#liveKey(), this.#nonce, TAG_OPTIONS)
		decipher.setAuthTag(record.subarray(end))
		const plaintext = decipher.update(record.subarray(0, end))
		try {
			decipher.final()
			// Not a Buffer: its `slice` gives views.
			return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length)
		} catch {
			// The one failure of `final` is that the tag doesn't fit.
			return undefined
		}
	}

	rekey(): void {
		const old = this.#liveKey()
		this.#key = runCryptoSync(NODE_CRYPTO, nextKey(old))
		old.fill(0)
	}

	wipe(): void {
		this.#key?.fill(0)
		this.#key = undefined
	}

	#liveKey(): Uint8Array {
		if (this.#key === undefined) throw new Error('record cipher was wiped')
		return this.#key
	}
}
