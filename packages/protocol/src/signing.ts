/**
 * What identity keys sign. Each purpose has a label of its own and all fields are length-prefixed, so that a signature
 * made for one act is good for no other.
 */
import { lengthPrefixed, uint64ToBytes, utf8ToBytes } from './bytes.ts'

export type SigningPurpose =
	| {
			readonly purpose: 'node_auth'
			readonly challenge: Uint8Array
			readonly origin: string
			readonly relayId: string
			readonly nodeId: string
	  }
	| {
			readonly purpose: 'enrol'
			readonly origin: string
			readonly tokenId: string
			readonly identityKey: Uint8Array
			readonly timestampMs: number
	  }
	| {
			readonly purpose: 'admission'
			readonly challenge: Uint8Array
			readonly origin: string
			readonly relayId: string
			readonly nodeId: string
			readonly sessionId: string
	  }
	| {
			readonly purpose: 'vouch'
			readonly requestId: string
			readonly nonce: Uint8Array
			readonly sessionId: string
			readonly verdict: string
			readonly admissionKey: Uint8Array
			readonly user: string
			readonly notAfterMs: number
			readonly epoch: number
	  }
	| { readonly purpose: 'session_revoked'; readonly nodeId: string; readonly sessionId: string; readonly epoch: number }

/** The exact bytes that are signed (Ed25519, RFC 8032) for a purpose. */
export function signingInput(act: SigningPurpose): Uint8Array {
	return lengthPrefixed([utf8ToBytes(`sallyport-${act.purpose}-v1`), ...signedFields(act)])
}

function signedFields(act: SigningPurpose): readonly Uint8Array[] {
	const text = utf8ToBytes
	switch (act.purpose) {
		case 'node_auth':
			return [act.challenge, text(act.origin), text(act.relayId), text(act.nodeId)]
		case 'enrol':
			return [text(act.origin), text(act.tokenId), act.identityKey, uint64ToBytes(act.timestampMs)]
		case 'admission':
			return [act.challenge, text(act.origin), text(act.relayId), text(act.nodeId), text(act.sessionId)]
		case 'vouch':
			return [
				text(act.requestId),
				act.nonce,
				text(act.sessionId),
				text(act.verdict),
				act.admissionKey,
				text(act.user),
				uint64ToBytes(act.notAfterMs),
				uint64ToBytes(act.epoch),
			]
		case 'session_revoked':
			return [text(act.nodeId), text(act.sessionId), uint64ToBytes(act.epoch)]
	}
}
