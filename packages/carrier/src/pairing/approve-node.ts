import { approveCode, isApproveCommit, returnCode } from '@sallyport/link'
import type { DeviceSessionInfo, HandshakePayload3 } from '@sallyport/protocol'
import { LIMITS } from '@sallyport/protocol'
import type { CryptoDriver } from '../crypto/crypto-driver.ts'
import { runCrypto } from '../crypto/crypto-driver.ts'
import { LinkError } from '../errors.ts'
import type { MessageReader } from '../message-reader.ts'
import type { NodeGate, ProvenDevice } from '../node-link.ts'

export interface ApproveNodeOptions {
	readonly reader: MessageReader
	readonly crypto: CryptoDriver
	readonly handshakeHash: Uint8Array
	readonly gate: NodeGate
	readonly device: ProvenDevice
	readonly request: Extract<HandshakePayload3, { intent: 'pair' }>
}

/**
 * The node's side of pairing by approve code. Gives the session once the device confirmed that the return code matched;
 * undefined when it came to nothing, which the device has been told. Rejects with `LinkError` when the device broke off.
 */
export async function offerApproval(options: ApproveNodeOptions): Promise<DeviceSessionInfo | undefined> {
	const { reader, crypto, handshakeHash, gate, device, request } = options
	const commit = await reader.next(AbortSignal.timeout(LIMITS.handshakeMs))
	if (commit.op !== 'pair_commit') throw unexpected('pair_commit', commit.op)
	const gone = new AbortController()
	reader.onEnd(() => gone.abort())
	const onQueued = (position: number): void => reader.send({ op: 'pair_queued', position })
	const turn = await gate.enterPairing(device, request, onQueued, gone.signal)
	if (turn.kind === 'failed') {
		reader.send({ op: 'pair_failed', reason: turn.reason })
		return undefined
	}
	reader.send({ op: 'pair_nonce', nonce: turn.nonce, expires: turn.expiresAtMs })
	const clientNonce = await revealedNonce(options, commit.commit).catch((error: unknown) => {
		gone.abort()
		throw error
	})
	const transcript = { handshakeHash, clientNonce, nodeNonce: turn.nonce }
	const digits = await runCrypto(crypto, approveCode(transcript))
	const wait = gate.awaitApproval(device, { digits, returnCode: await runCrypto(crypto, returnCode(transcript)) })
	reader.onEnd(() => void wait.end('closed'))
	const outcome = await wait.outcome
	if (outcome.kind === 'failed') {
		reader.send({ op: 'pair_failed', reason: outcome.reason })
		return undefined
	}
	reader.send({ op: 'pair_approved' })
	const confirm = await reader.next(AbortSignal.timeout(LIMITS.pairingMs))
	if (confirm.op !== 'pair_confirm') throw unexpected('pair_confirm', confirm.op)
	if (await wait.end('confirmed')) return outcome.session
	reader.send({ op: 'pair_failed', reason: 'expired' })
	return undefined
}

/** A device that is there needs one round trip; the desk gives its turn on after the same time. */
const REVEAL_MS = 30_000

async function revealedNonce(options: ApproveNodeOptions, commit: Uint8Array): Promise<Uint8Array> {
	const reveal = await options.reader.next(AbortSignal.timeout(REVEAL_MS))
	if (reveal.op !== 'pair_reveal') throw unexpected('pair_reveal', reveal.op)
	const isSame = await runCrypto(options.crypto, isApproveCommit(commit, options.handshakeHash, reveal.nonce))
	if (!isSame) throw new LinkError('bad_request', 'device revealed another nonce than it committed to')
	return reveal.nonce
}

function unexpected(expected: string, got: string): LinkError {
	return new LinkError('bad_request', `device answered with ${got} where ${expected} was due`)
}
