/** Certificates as Crypto: an identity key vouches for a link key, and the peer checks all that can be checked. */
import type { CertificateBody, DeviceId, NodeId } from '@sallyport/protocol'
import {
	certificateInput,
	deviceIdFromHash,
	deviceIdInput,
	encodeCertificate,
	equalBytes,
	LIMITS,
	nodeIdFromHash,
	nodeIdInput,
	ok,
	parseCertificate,
} from '@sallyport/protocol'
import type { Crypto, SigningKey } from '../crypto/crypto-effects.ts'
import { hash, sign, verify } from '../crypto/crypto-effects.ts'
import type { HandshakeFault, HandshakeResult } from './handshake-fault.ts'
import { refuse } from './handshake-fault.ts'

export interface CertificateRequest {
	readonly role: CertificateBody['role']
	readonly identityKey: SigningKey
	/** The X25519 public key to certify. */
	readonly linkKey: Uint8Array
	readonly nowMs: number
	/** Of the certificate that this one replaces. */
	readonly lastSerial?: number
}

/** A certificate for 90 days whose serial is above the last one's, even when the clock went back. */
export function* issueCertificate(request: CertificateRequest): Crypto<Uint8Array> {
	const { role, identityKey, linkKey, nowMs } = request
	const body: CertificateBody = {
		role,
		serial: Math.max((request.lastSerial ?? 0) + 1, nowMs),
		notBeforeMs: nowMs,
		notAfterMs: nowMs + LIMITS.certificateMs,
		linkKey,
		identityKey: identityKey.publicKey,
	}
	return encodeCertificate(body, yield* sign(identityKey, certificateInput(body)))
}

/** From half of its life on a certificate is renewed. */
export function isRenewalDue(body: CertificateBody, nowMs: number): boolean {
	return nowMs >= body.notBeforeMs + (body.notAfterMs - body.notBeforeMs) / 2
}

interface VerifiedPeer {
	/** Ed25519, 32 bytes. */
	readonly identityKey: Uint8Array
	readonly certificate: Uint8Array
	/** To be stored: the peer's next certificate may not be older. */
	readonly serial: number
	readonly notAfterMs: number
}
export interface VerifiedNode extends VerifiedPeer {
	readonly nodeId: NodeId
}
export interface VerifiedDevice extends VerifiedPeer {
	readonly deviceId: DeviceId
}

export interface CertificateCheck {
	/** The static key that the handshake proved. */
	readonly linkKey: Uint8Array
	readonly nowMs: number
}

/** Checks a node's certificate, and that its identity key is the one behind `nodeId`. */
export function* verifyNodeCertificate(
	certificate: Uint8Array,
	check: CertificateCheck & { readonly nodeId: string; readonly lastSerial?: number },
): Crypto<HandshakeResult<VerifiedNode>> {
	const verified = yield* verifyCertificate(certificate, 'node', check)
	if (!verified.ok) return verified
	const nodeId = nodeIdFromHash(yield* hash(nodeIdInput(verified.value.identityKey)))
	if (nodeId !== check.nodeId) return refuse('NODE_KEY_CHANGED', `peer proved the key of node ${nodeId}, not of ${check.nodeId}`)
	const old = checkSerial(verified.value.serial, check.lastSerial)
	return old === undefined ? ok({ ...verified.value, nodeId }) : { ok: false, error: old }
}

/** Checks a device's certificate; its serial is judged by `checkSerial` once the device's last one was looked up. */
export function* verifyDeviceCertificate(
	certificate: Uint8Array,
	check: CertificateCheck,
): Crypto<HandshakeResult<VerifiedDevice>> {
	const verified = yield* verifyCertificate(certificate, 'device', check)
	if (!verified.ok) return verified
	const deviceId = deviceIdFromHash(yield* hash(deviceIdInput(verified.value.identityKey)))
	return ok({ ...verified.value, deviceId })
}

/** The fault of a serial that is lower than the last one seen. */
export function checkSerial(serial: number, lastSerial: number | undefined): HandshakeFault | undefined {
	if (lastSerial === undefined || serial >= lastSerial) return undefined
	return { code: 'CERTIFICATE_SERIAL_OLD', detail: `certificate serial ${serial} is lower than ${lastSerial}, seen before` }
}

function* verifyCertificate(
	certificate: Uint8Array,
	role: CertificateBody['role'],
	check: CertificateCheck,
): Crypto<HandshakeResult<VerifiedPeer>> {
	const parsed = parseCertificate(certificate)
	if (!parsed.ok) return refuse('CERTIFICATE_REFUSED', parsed.error.detail)
	const { body, signed, signature } = parsed.value
	if (!(yield* verify(body.identityKey, signed, signature)))
		return refuse('CERTIFICATE_REFUSED', 'certificate has a wrong signature')
	const unfit = judgeBody(body, role, check)
	if (unfit !== undefined) return { ok: false, error: unfit }
	const { identityKey, serial, notAfterMs } = body
	return ok({ identityKey, certificate, serial, notAfterMs })
}

function judgeBody(body: CertificateBody, role: CertificateBody['role'], check: CertificateCheck): HandshakeFault | undefined {
	if (body.role !== role) return { code: 'CERTIFICATE_ROLE_WRONG', detail: `certificate is a ${body.role}'s, not a ${role}'s` }
	if (!equalBytes(body.linkKey, check.linkKey))
		return { code: 'CERTIFICATE_KEY_WRONG', detail: 'certificate is for another link key than the handshake used' }
	if (body.notAfterMs - body.notBeforeMs > LIMITS.certificateMs)
		return { code: 'CERTIFICATE_REFUSED', detail: 'certificate is valid for longer than is allowed' }
	if (check.nowMs < body.notBeforeMs - LIMITS.clockLeewayMs)
		return { code: 'CERTIFICATE_NOT_YET_VALID', detail: 'certificate is not valid yet: one of the two clocks is wrong' }
	if (check.nowMs > body.notAfterMs + LIMITS.clockLeewayMs)
		return { code: 'CERTIFICATE_EXPIRED', detail: 'certificate has expired, or one of the two clocks is wrong' }
	return undefined
}
