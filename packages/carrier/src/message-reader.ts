import type { ConnectionMessage, ParsedLinkMessage } from '@sallyport/protocol'
import { connectionRecord, parseSoleMessage } from './control-record.ts'
import { LinkError } from './errors.ts'
import type { SecureChannel } from './secure-channel/secure-channel.ts'

/** More than any exchange before a link is up needs: a peer that nothing is known of can't make this side hold more. */
const MAX_WAITING_BYTES = 64 * 1024

/**
 * Reads the messages that come before a link is up, one a record, by `await`. Between two reads it holds what came.
 * `release` ends that: the channel then belongs to the link.
 */
export interface MessageReader {
	/** Rejects with `LinkError`: `link_ended` when the connection ends, `timed_out` by the signal, `bad_request` for nonsense. */
	next(signal: AbortSignal): Promise<ParsedLinkMessage>
	send(message: ConnectionMessage): void
	/** Calls back once if the connection ends, now or later, until `release`. */
	onEnd(callback: () => void): void
	/** Records that came and were not read; whoever takes the channel over reads them first. */
	release(): readonly Uint8Array[]
}

/** `maxBytes`: what may wait unread; beyond it the connection is cut. A resumed link's replay follows its first message. */
export function readMessages(channel: SecureChannel, maxBytes: number = MAX_WAITING_BYTES): MessageReader {
	const waiting: Uint8Array[] = []
	let waitingBytes = 0
	const endListeners: (() => void)[] = []
	let wake: (() => void) | undefined
	let ended: LinkError | undefined
	const end = (error: LinkError): void => {
		ended ??= error
		wake?.()
		for (const listener of endListeners.splice(0)) listener()
	}
	channel.setHandlers({
		onRecord: (plaintext) => {
			waiting.push(plaintext)
			waitingBytes += plaintext.length
			if (waitingBytes > maxBytes) channel.terminate()
			wake?.()
		},
		onEnd: (reason) => {
			const text = reason.kind === 'fault' ? reason.fault.detail : reason.close.reason
			end(
				new LinkError('link_ended', `the connection ended before the link was up: ${text || 'no reason was given'}`, {
					retry: true,
				}),
			)
		},
	})
	return {
		async next(signal) {
			const record = waiting.shift() ?? (ended === undefined ? await arrival(signal) : undefined)
			waitingBytes -= record?.length ?? 0
			if (record === undefined) throw ended ?? new LinkError('link_ended', 'the connection ended', { retry: true })
			const message = parseSoleMessage(record)
			if (!message.ok) throw new LinkError('bad_request', `the other side sent what can't be read: ${message.error.detail}`)
			return message.value
		},
		send: (message) => channel.send(connectionRecord(message)),
		onEnd(callback) {
			if (ended === undefined) endListeners.push(callback)
			else callback()
		},
		release() {
			endListeners.length = 0
			return waiting.splice(0)
		},
	}

	function arrival(signal: AbortSignal): Promise<Uint8Array | undefined> {
		return new Promise((resolve, reject) => {
			const onAbort = (): void => {
				wake = undefined
				reject(new LinkError('timed_out', 'the machine did not answer in time', { retry: true }))
			}
			if (signal.aborted) return onAbort()
			signal.addEventListener('abort', onAbort, { once: true })
			wake = () => {
				wake = undefined
				signal.removeEventListener('abort', onAbort)
				resolve(waiting.shift())
			}
		})
	}
}
