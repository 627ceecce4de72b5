/** Whether an enrolment request was made by the machine that holds the identity key, for this relay, just now. */
import { createHash, createPublicKey, verify } from 'node:crypto'
import type { NodeId } from '@sallyport/protocol'
import { nodeIdFromHash, nodeIdInput, signingInput } from '@sallyport/protocol'

/** A machine's clock may be off by this much. */
const MAX_AGE_MS = 10 * 60 * 1000
/** What stands before the 32 bytes of an Ed25519 key in SubjectPublicKeyInfo (RFC 8410). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

export interface EnrolProof {
	readonly tokenId: string
	readonly identityKey: Uint8Array
	readonly signature: Uint8Array
	readonly timestampMs: number
}

export type ProofFault = 'timestamp' | 'signature'

/** Undefined when the proof holds. `origins` are the names under which this relay may have been dialled. */
export function proofFault(proof: EnrolProof, origins: readonly string[], nowMs: number): ProofFault | undefined {
	if (Math.abs(nowMs - proof.timestampMs) > MAX_AGE_MS) return 'timestamp'
	const { tokenId, identityKey, timestampMs } = proof
	const isSigned = origins.some((origin) =>
		verifyEd25519(identityKey, signingInput({ purpose: 'enrol', origin, tokenId, identityKey, timestampMs }), proof.signature),
	)
	return isSigned ? undefined : 'signature'
}

export function nodeIdOf(identityKey: Uint8Array): NodeId {
	return nodeIdFromHash(createHash('sha256').update(nodeIdInput(identityKey)).digest())
}

/** False also for bytes that are no key or no signature. */
function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
	try {
		const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' })
		return verify(null, message, key, signature)
	} catch {
		// OpenSSL throws on a point that is not on the curve: not a key, so not a proof.
		return false
	}
}
