import type { Result } from '@sallyport/protocol'
import { fault, ok, parseCertificate } from '@sallyport/protocol'
import type { Identity } from '../crypto/identity.ts'
import { WebAgreementKey, WebSigningKey } from './crypto-web.ts'

/** An identity as IndexedDB keeps it (structured clone): the private keys stay non-extractable. */
export interface StoredIdentity {
	readonly version: 1
	readonly identityKey: CryptoKey
	readonly linkKey: CryptoKey
	/** Also says which public keys the private ones belong to. */
	readonly certificate: Uint8Array
}

export function identityToStored(identity: Identity): StoredIdentity {
	const { identityKey, linkKey, certificate } = identity
	if (!(identityKey instanceof WebSigningKey) || !(linkKey instanceof WebAgreementKey))
		throw new TypeError('this identity is of another crypto driver')
	return { version: 1, identityKey: identityKey.privateKey, linkKey: linkKey.privateKey, certificate }
}

/** Reads what IndexedDB gave back, which may be anything. */
export function storedToIdentity(stored: unknown): Result<Identity> {
	if (!isStoredIdentity(stored)) return fault('CERTIFICATE_INVALID', 'stored identity is damaged')
	const parsed = parseCertificate(stored.certificate)
	if (!parsed.ok) return parsed
	const { role, identityKey, linkKey } = parsed.value.body
	return ok({
		role,
		identityKey: new WebSigningKey(identityKey, stored.identityKey),
		linkKey: new WebAgreementKey(linkKey, stored.linkKey),
		certificate: stored.certificate,
	})
}

function isStoredIdentity(stored: unknown): stored is StoredIdentity {
	return (
		typeof stored === 'object' &&
		stored !== null &&
		'version' in stored &&
		stored.version === 1 &&
		'identityKey' in stored &&
		isPrivateKey(stored.identityKey, 'Ed25519') &&
		'linkKey' in stored &&
		isPrivateKey(stored.linkKey, 'X25519') &&
		'certificate' in stored &&
		stored.certificate instanceof Uint8Array
	)
}

function isPrivateKey(value: unknown, algorithm: string): boolean {
	return value instanceof CryptoKey && value.type === 'private' && value.algorithm.name === algorithm
}
