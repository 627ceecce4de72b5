/**
 * Certificates: an identity key (Ed25519) vouches for a link key (X25519). Binary, length-prefixed:
 * body = label, role, version, serial u64, not_before u64, not_after u64, link key, identity key; then the signature.
 * `docs/protocol.md`, "Certificates".
 */
import { bytesToUtf8, concatBytes, equalBytes, lengthPrefixed, readUint32, uint64ToBytes, utf8ToBytes } from './bytes.ts'
import type { Result } from './result.ts'
import { fault, ok } from './result.ts'

const LABEL = 'sallyport-certificate-v1'
const VERSION = 1
const MAX_BYTES = 512

export type PeerRole = 'node' | 'device'

export interface CertificateBody {
	readonly role: PeerRole
	/** Grows with each renewal; a peer refuses one lower than the last it saw. */
	readonly serial: number
	readonly notBeforeMs: number
	readonly notAfterMs: number
	/** X25519, 32 bytes. */
	readonly linkKey: Uint8Array
	/** Ed25519, 32 bytes. */
	readonly identityKey: Uint8Array
}

/** A certificate that was taken apart; nothing of it is verified yet. */
export interface UnverifiedCertificate {
	readonly body: CertificateBody
	/** The exact bytes that the signature is over. */
	readonly signed: Uint8Array
	readonly signature: Uint8Array
}

/** The bytes to sign with the identity key. */
export function certificateInput(body: CertificateBody): Uint8Array {
	return lengthPrefixed([
		utf8ToBytes(LABEL),
		utf8ToBytes(body.role),
		Uint8Array.of(VERSION),
		uint64ToBytes(body.serial),
		uint64ToBytes(body.notBeforeMs),
		uint64ToBytes(body.notAfterMs),
		body.linkKey,
		body.identityKey,
	])
}

export function encodeCertificate(body: CertificateBody, signature: Uint8Array): Uint8Array {
	return concatBytes([certificateInput(body), lengthPrefixed([signature])])
}

/** Takes a certificate apart; whoever calls verifies signature, role, dates and serial. */
export function parseCertificate(bytes: Uint8Array): Result<UnverifiedCertificate> {
	if (bytes.length > MAX_BYTES) return fault('CERTIFICATE_INVALID', `certificate of ${bytes.length} bytes exceeds ${MAX_BYTES}`)
	const fields = splitFields(bytes)
	if (!fields.ok) return fields
	const [label, role, version, serial, notBefore, notAfter, linkKey, identityKey, signature, ...rest] = fields.value
	const lengths = [label, role, version, serial, notBefore, notAfter, linkKey, identityKey, signature].map(
		(field) => field?.length,
	)
	const [, , versionLength, serialLength, beforeLength, afterLength, linkLength, identityLength, signatureLength] = lengths
	if (
		label === undefined ||
		role === undefined ||
		version === undefined ||
		serial === undefined ||
		notBefore === undefined ||
		notAfter === undefined ||
		linkKey === undefined ||
		identityKey === undefined ||
		signature === undefined ||
		rest.length > 0 ||
		versionLength !== 1 ||
		serialLength !== 8 ||
		beforeLength !== 8 ||
		afterLength !== 8 ||
		linkLength !== 32 ||
		identityLength !== 32 ||
		signatureLength !== 64
	) {
		return fault('CERTIFICATE_INVALID', 'certificate has not the fields of one')
	}
	if (!equalBytes(label, utf8ToBytes(LABEL)) || version[0] !== VERSION)
		return fault('CERTIFICATE_INVALID', 'certificate is of another kind or version')
	const roleText = bytesToUtf8(role)
	if (!roleText.ok || (roleText.value !== 'node' && roleText.value !== 'device'))
		return fault('CERTIFICATE_INVALID', 'certificate has an unknown role')
	const body: CertificateBody = {
		role: roleText.value,
		serial: readUint64(serial),
		notBeforeMs: readUint64(notBefore),
		notAfterMs: readUint64(notAfter),
		linkKey: linkKey.slice(),
		identityKey: identityKey.slice(),
	}
	if (![body.serial, body.notBeforeMs, body.notAfterMs].every(Number.isSafeInteger))
		return fault('CERTIFICATE_INVALID', 'certificate has a number that is too large')
	return ok({ body, signed: certificateInput(body), signature: signature.slice() })
}

function splitFields(bytes: Uint8Array): Result<readonly Uint8Array[]> {
	const fields: Uint8Array[] = []
	let offset = 0
	while (offset < bytes.length) {
		const length = bytes.length - offset >= 4 ? readUint32(bytes, offset) : Number.POSITIVE_INFINITY
		if (length > bytes.length - offset - 4) return fault('CERTIFICATE_INVALID', 'certificate ends inside a field')
		fields.push(bytes.subarray(offset + 4, offset + 4 + length))
		offset += 4 + length
	}
	return ok(fields)
}

function readUint64(bytes: Uint8Array): number {
	return readUint32(bytes, 0) * 2 ** 32 + readUint32(bytes, 4)
}
