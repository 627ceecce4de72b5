import { createWebCrypto, WebAgreementKey } from '../../packages/carrier/src/browser/crypto-web.ts'
import type { CryptoDriver } from '../../packages/carrier/src/crypto/crypto-driver.ts'
import { createNodeCrypto, importNodeAgreementKey } from '../../packages/carrier/src/node/crypto-node.ts'
import type { AgreementKey } from '../../packages/link/src/crypto/crypto-effects.ts'

export const nodeCrypto = createNodeCrypto()
export const webCrypto: CryptoDriver = createWebCrypto()

export interface DriverUnderTest {
	readonly name: 'node' | 'web'
	readonly driver: CryptoDriver
	importAgreementKey(raw: Uint8Array): Promise<AgreementKey>
}

/** Both drivers, with a way to give them keys of known bytes. */
export const driversUnderTest: readonly DriverUnderTest[] = [
	{ name: 'node', driver: nodeCrypto, importAgreementKey: async (raw) => importNodeAgreementKey(raw) },
	{ name: 'web', driver: webCrypto, importAgreementKey: importWebAgreementKey },
]

const PKCS8_X25519 = '302e020100300506032b656e04220420'

async function importWebAgreementKey(raw: Uint8Array): Promise<AgreementKey> {
	const pkcs8 = Buffer.concat([Buffer.from(PKCS8_X25519, 'hex'), raw])
	const key = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'X25519' }, false, ['deriveBits'])
	return new WebAgreementKey(importNodeAgreementKey(raw).publicKey, key)
}

/** A driver whose generated X25519 keys and random bytes are the given ones, in turn. */
export function withFixed(
	driver: CryptoDriver,
	fixed: { readonly keys?: readonly AgreementKey[]; readonly random?: Uint8Array },
): CryptoDriver {
	const keys = [...(fixed.keys ?? [])]
	return {
		createRecordCipher: (key) => driver.createRecordCipher(key),
		perform(op) {
			if (op.kind === 'random' && fixed.random !== undefined) return { kind: 'bytes', bytes: fixed.random.slice(0, op.length) }
			if (op.kind !== 'generate_agreement_key') return driver.perform(op)
			const key = keys.shift()
			if (key === undefined) throw new Error('no fixed key is left')
			return { kind: 'agreement_key', key }
		},
	}
}

export function fromHex(text: string): Uint8Array {
	return new Uint8Array(Buffer.from(text, 'hex'))
}

export function toHex(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString('hex')
}
