import type { AgreementKey, Crypto, SigningKey } from '@sallyport/link'
import { generateAgreementKey, generateSigningKey, hash, isRenewalDue, issueCertificate } from '@sallyport/link'
import type { CertificateBody, DeviceId, NodeId, PeerRole } from '@sallyport/protocol'
import { deviceIdFromHash, deviceIdInput, nodeIdFromHash, nodeIdInput, parseCertificate } from '@sallyport/protocol'

/**
 * Who a node or device is: an Ed25519 identity key for life, and an X25519 link key with the certificate that vouches
 * for it. Private keys are handles of the crypto driver that made them.
 */
export interface Identity {
	readonly role: PeerRole
	readonly identityKey: SigningKey
	readonly linkKey: AgreementKey
	readonly certificate: Uint8Array
}

/** Makes a new identity. */
export function* makeIdentity(role: PeerRole, nowMs: number): Crypto<Identity> {
	const identityKey = yield* generateSigningKey()
	return yield* certify(role, identityKey, nowMs)
}

/**
 * The same identity with a new link key and certificate, when the old one has lived half of its life; else the one given.
 * The caller stores it before it is used, so that serials never fall.
 */
export function* renewIdentity(identity: Identity, nowMs: number): Crypto<Identity> {
	const body = identityCertificate(identity)
	if (!isRenewalDue(body, nowMs)) return identity
	return yield* certify(identity.role, identity.identityKey, nowMs, body.serial)
}

/** What the identity's own certificate says. */
export function identityCertificate(identity: Identity): CertificateBody {
	const parsed = parseCertificate(identity.certificate)
	if (!parsed.ok) throw new Error(`own certificate is broken: ${parsed.error.detail}`)
	return parsed.value.body
}

/** A node's id: what pairing and relays know it by. */
export function* nodeIdOf(identityKey: { readonly publicKey: Uint8Array }): Crypto<NodeId> {
	return nodeIdFromHash(yield* hash(nodeIdInput(identityKey.publicKey)))
}

export function* deviceIdOf(identityKey: { readonly publicKey: Uint8Array }): Crypto<DeviceId> {
	return deviceIdFromHash(yield* hash(deviceIdInput(identityKey.publicKey)))
}

function* certify(role: PeerRole, identityKey: SigningKey, nowMs: number, lastSerial?: number): Crypto<Identity> {
	const linkKey = yield* generateAgreementKey()
	const request = { role, identityKey, linkKey: linkKey.publicKey, nowMs }
	const certificate = yield* issueCertificate(lastSerial === undefined ? request : { ...request, lastSerial })
	return { role, identityKey, linkKey, certificate }
}
