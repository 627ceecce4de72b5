import type { NodeBoundMessage, NodeMessage } from '@sallyport/protocol'
import { EMPTY_BYTES, signingInput } from '@sallyport/protocol'
import type { PairingBook } from '../gate/pairing-book.ts'
import { expiryOf } from '../gate/pairing-book.ts'
import type { NodeIdentity } from '../state/node-identity.ts'

type Question = Extract<NodeBoundMessage, { op: 'session_verify_request' }>
type Revoked = Extract<NodeMessage, { op: 'session_revoked' }>

/** The node's word on a device session, signed, so that a relay can admit a device without an account session. */
export function vouch(question: Question, book: PairingBook, identity: NodeIdentity): NodeMessage {
	const { request_id: requestId, nonce, session_id: sessionId } = question
	const session = book.find(sessionId)
	const isKnown = typeof session !== 'string'
	const verdict = isKnown && !book.isSuspended(session) ? 'valid' : session === 'unknown' ? 'unknown' : 'invalid'
	const facts =
		isKnown && verdict === 'valid'
			? { admission_key: session.identity_key, user: session.user, not_after: expiryOf(session) }
			: {}
	const epoch = book.epoch
	const signature = identity.sign(
		signingInput({
			purpose: 'vouch',
			requestId,
			nonce,
			sessionId,
			verdict,
			admissionKey: facts.admission_key ?? EMPTY_BYTES,
			user: facts.user ?? '',
			notAfterMs: facts.not_after ?? 0,
			epoch,
		}),
	)
	return {
		op: 'session_verify_response',
		request_id: requestId,
		nonce,
		session_id: sessionId,
		verdict,
		...facts,
		epoch,
		signature,
	}
}

/** Tells the relay to forget what it was told of a session. */
export function revocation(sessionId: Revoked['session_id'], epoch: number, identity: NodeIdentity): NodeMessage {
	const signature = identity.sign(signingInput({ purpose: 'session_revoked', nodeId: identity.nodeId, sessionId, epoch }))
	return { op: 'session_revoked', session_id: sessionId, epoch, signature }
}
