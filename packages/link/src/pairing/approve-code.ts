/**
 * The approve code: what a person compares, so that nobody in the middle of the link goes unseen. The client commits to
 * its nonce before it sees the node's; thus neither side, nor a relay between two handshakes, can choose the digits.
 *
 * commit = SHA-256(label, h, nC), fields length-prefixed
 * code = HKDF-SHA-256(secret: h, nC, nN length-prefixed; salt: label; info: use) as a number, BE, mod 10^digits
 */
import { equalBytes, lengthPrefixed, utf8ToBytes } from '@sallyport/protocol'
import type { Crypto } from '../crypto/crypto-effects.ts'
import { hash } from '../crypto/crypto-effects.ts'
import { hkdf } from '../crypto/hkdf.ts'

const COMMIT_LABEL = 'sallyport-approve-commit-v1'
const CODE_LABEL = 'sallyport-approve-code-v1'
export const APPROVE_NONCE_BYTES = 32
const CODE_DIGITS = 6
const RETURN_CODE_DIGITS = 4

export interface ApproveTranscript {
	/** h of this side's handshake. */
	readonly handshakeHash: Uint8Array
	readonly clientNonce: Uint8Array
	readonly nodeNonce: Uint8Array
}

/** What the client sends first. */
export function approveCommit(handshakeHash: Uint8Array, clientNonce: Uint8Array): Crypto<Uint8Array> {
	return hash(lengthPrefixed([utf8ToBytes(COMMIT_LABEL), handshakeHash, clientNonce]))
}

/** Whether the nonce that the client reveals is the one that it committed to. */
export function* isApproveCommit(commit: Uint8Array, handshakeHash: Uint8Array, clientNonce: Uint8Array): Crypto<boolean> {
	return equalBytes(commit, yield* approveCommit(handshakeHash, clientNonce))
}

/** Six digits: the client shows them, a person types them at the node, which never shows its own. */
export function approveCode(transcript: ApproveTranscript): Crypto<string> {
	return digits(transcript, 'approve', CODE_DIGITS)
}

/** Four digits: the node gives them to whoever typed the right code, who types them at the client. */
export function returnCode(transcript: ApproveTranscript): Crypto<string> {
	return digits(transcript, 'return', RETURN_CODE_DIGITS)
}

/** Compares typed digits in constant time; whatever isn't a digit (spaces, dashes) was typed for the eye. */
export function isSameCode(typed: string, code: string): boolean {
	return equalBytes(utf8ToBytes(typed.replace(/\D/g, '')), utf8ToBytes(code))
}

function* digits(transcript: ApproveTranscript, use: string, count: number): Crypto<string> {
	const { handshakeHash, clientNonce, nodeNonce } = transcript
	const secret = lengthPrefixed([handshakeHash, clientNonce, nodeNonce])
	const derived = yield* hkdf(secret, utf8ToBytes(CODE_LABEL), utf8ToBytes(use))
	const modulus = 10 ** count
	let number = 0
	for (const byte of derived) number = (number * 256 + byte) % modulus
	return String(number).padStart(count, '0')
}
