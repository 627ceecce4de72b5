import { APPROVE_NONCE_BYTES, approveCode, approveCommit, isSameCode, random, returnCode } from '@sallyport/link'
import type { ParsedLinkMessage } from '@sallyport/protocol'
import type { CryptoDriver } from '../crypto/crypto-driver.ts'
import { runCrypto } from '../crypto/crypto-driver.ts'
import { LinkError } from '../errors.ts'
import type { MessageReader } from '../message-reader.ts'

/** Where a request by approve code stands, for the person who made it. */
export type ApproveState =
	| { readonly kind: 'queued'; readonly position: number }
	/** Six digits to type at the node. */
	| { readonly kind: 'code'; readonly code: string; readonly expiresAtMs: number }
	/** The node took them: the person now types the four digits that the node showed. */
	| { readonly kind: 'approved' }

export interface ApproveClientOptions {
	readonly reader: MessageReader
	readonly crypto: CryptoDriver
	readonly handshakeHash: Uint8Array
	readonly onState: (state: ApproveState) => void
	/** Asks the person for the return code; called again, with `isRetry`, after a wrong one. Rejecting cancels. */
	readonly askReturnCode: (isRetry: boolean) => Promise<string>
	readonly signal: AbortSignal
}

/** The return code may be mistyped so often before the node is taken for an impostor. */
const RETURN_CODE_TRIES = 3

/**
 * The client's side of pairing by approve code, up to `pair_confirm`. The node isn't trusted until then: a relay between
 * two handshakes makes two different codes. `docs/protocol.md`, "Pairing".
 */
export async function requestApproval(options: ApproveClientOptions): Promise<void> {
	const { reader, crypto, handshakeHash, signal, onState } = options
	const clientNonce = await runCrypto(crypto, random(APPROVE_NONCE_BYTES))
	reader.send({ op: 'pair_commit', commit: await runCrypto(crypto, approveCommit(handshakeHash, clientNonce)) })
	let message = await reader.next(signal)
	while (message.op === 'pair_queued') {
		onState({ kind: 'queued', position: message.position })
		message = await reader.next(signal)
	}
	const turn = expectMessage(message, 'pair_nonce')
	reader.send({ op: 'pair_reveal', nonce: clientNonce })
	const transcript = { handshakeHash, clientNonce, nodeNonce: turn.nonce }
	onState({ kind: 'code', code: await runCrypto(crypto, approveCode(transcript)), expiresAtMs: turn.expires })
	expectMessage(await reader.next(signal), 'pair_approved')
	onState({ kind: 'approved' })
	await checkReturnCode(options, await runCrypto(crypto, returnCode(transcript)))
	reader.send({ op: 'pair_confirm' })
}

async function checkReturnCode(options: ApproveClientOptions, expected: string): Promise<void> {
	for (let attempt = 0; attempt < RETURN_CODE_TRIES; attempt++) {
		const typed = await whileOpen(options, options.askReturnCode(attempt > 0))
		options.signal.throwIfAborted()
		if (isSameCode(typed, expected)) return
	}
	throw new LinkError(
		'wrong_code',
		'the four digits do not match: either they were mistyped, or someone stands between this device and the machine; nothing was trusted',
	)
}

/** What the person does, for as long as there is somebody to do it for: they may have left the prompt. */
function whileOpen<T>({ reader, signal }: ApproveClientOptions, work: Promise<T>): Promise<T> {
	return new Promise((resolve, reject) => {
		const onAbort = (): void => reject(new LinkError('timed_out', 'the pairing was given up'))
		signal.addEventListener('abort', onAbort, { once: true })
		if (signal.aborted) onAbort()
		// What the machine said last, or that the connection ended.
		reader.onEnd(() => {
			reader
				.next(signal)
				.then((message) => {
					expectMessage(message, 'pair_approved')
					throw new LinkError('pairing_failed', 'the machine ended the request; ask again')
				})
				.catch(reject)
		})
		void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
	})
}

const FAILURES = {
	wrong_code: 'other digits were typed at the machine than this device shows; ask again',
	burned: 'too many wrong digits were typed; ask again',
	expired: 'nobody typed the digits within five minutes; ask again',
	denied: 'the request was denied at the machine',
	limit: 'the machine has had too many requests this hour; try again later',
	closed: 'the machine ended the request; ask again',
} as const

function expectMessage<Op extends ParsedLinkMessage['op']>(
	message: ParsedLinkMessage,
	op: Op,
): Extract<ParsedLinkMessage, { op: Op }> {
	// Safe: the discriminant was compared.
	if (message.op === op) return message as Extract<ParsedLinkMessage, { op: Op }>
	if (message.op === 'pair_failed')
		throw new LinkError('pairing_failed', FAILURES[message.reason], { retry: message.reason !== 'denied' })
	if (message.op === 'link_refused') throw new LinkError('refused', message.message)
	throw new LinkError('bad_request', `the machine answered ${op} with ${message.op}`)
}
