import type { PeerRole, Result } from '@sallyport/protocol'
import { equalBytes, fault, lengthPrefixed, ok, parseCertificate, readUint32, utf8ToBytes } from '@sallyport/protocol'
import type { Identity } from '../crypto/identity.ts'
import { importNodeAgreementKey, importNodeSigningKey, NodeAgreementKey, NodeSigningKey } from './crypto-node.ts'

const LABEL = utf8ToBytes('sallyport-identity-v1')
const PRIVATE_KEY_BYTES = 32
const FIELDS = 4

/**
 * The whole identity as bytes, private keys included: for a sealed file that one user alone can read, nothing else.
 * Layout, each field length-prefixed (u32 BE): label, Ed25519 seed, X25519 private key, certificate.
 */
export function exportIdentity(identity: Identity): Uint8Array {
	const { identityKey, linkKey, certificate } = identity
	if (!(identityKey instanceof NodeSigningKey) || !(linkKey instanceof NodeAgreementKey))
		throw new TypeError('this identity is of another crypto driver')
	const seed = identityKey.exportPrivate()
	const agreement = linkKey.exportPrivate()
	const bytes = lengthPrefixed([LABEL, seed, agreement, certificate])
	seed.fill(0)
	agreement.fill(0)
	return bytes
}

/** Reads what `exportIdentity` wrote; refuses bytes that are damaged or whose certificate is for other keys. */
export function importIdentity(bytes: Uint8Array): Result<Identity> {
	const fields = splitFields(bytes)
	const [label, seed, agreement, certificate] = fields ?? []
	if (
		label === undefined ||
		seed?.length !== PRIVATE_KEY_BYTES ||
		agreement?.length !== PRIVATE_KEY_BYTES ||
		certificate === undefined ||
		!equalBytes(label, LABEL)
	) {
		return fault('CERTIFICATE_INVALID', 'stored identity is damaged')
	}
	const parsed = parseCertificate(certificate)
	if (!parsed.ok) return parsed
	const identityKey = importNodeSigningKey(seed)
	const linkKey = importNodeAgreementKey(agreement)
	const { body } = parsed.value
	if (!equalBytes(body.identityKey, identityKey.publicKey) || !equalBytes(body.linkKey, linkKey.publicKey))
		return fault('CERTIFICATE_INVALID', 'stored identity has a certificate for other keys')
	const role: PeerRole = body.role
	return ok({ role, identityKey, linkKey, certificate: certificate.slice() })
}

function splitFields(bytes: Uint8Array): readonly Uint8Array[] | undefined {
	const fields: Uint8Array[] = []
	let offset = 0
	while (offset < bytes.length) {
		const length = bytes.length - offset >= 4 ? readUint32(bytes, offset) : Number.POSITIVE_INFINITY
		if (fields.length === FIELDS || length > bytes.length - offset - 4) return undefined
		fields.push(bytes.subarray(offset + 4, offset + 4 + length))
		offset += 4 + length
	}
	return fields
}
