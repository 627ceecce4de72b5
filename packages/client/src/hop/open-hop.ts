import type { Clock } from '@sallyport/carrier'
import {
	type ClientMessage,
	closeFromCode,
	encodeMessage,
	LIMITS,
	type NodeId,
	PROTOCOL_VERSION,
	PROTOCOL_VERSIONS,
	parseServerMessage,
	type ServerMessage,
} from '@sallyport/protocol'
import type { MessageSocket, SocketClose } from '@sallyport/transport'
import { ClientError } from '../errors.ts'
import type { HelloCredential } from '../http/credential.ts'
import { errorFromClose, errorFromRefusal } from './refusals.ts'

export interface HopOptions {
	readonly nodeId: NodeId
	/** For a relay. Absent: the socket leads to a machine's own listener, which is told the version alone. */
	readonly credential?: HelloCredential
	/** The relay that this device knows at this origin, when it has been there before. */
	readonly relayId?: string
	readonly clock: Clock
	readonly signal?: AbortSignal
}

/** How long the relay may take from hello to `opened`: it may be waiting for a machine that is just coming back. */
const OPEN_MS = 25_000

/**
 * Takes a fresh socket to a relay, or to a machine's own listener, through `auth_required`, `hello` and `opened`; what follows on it is records alone.
 * Rejects with `ClientError`, the socket then being closed: every refusal and close code in words.
 */
export function openHop(socket: MessageSocket, options: HopOptions): Promise<void> {
	return new Promise((resolve, reject) => {
		let state: 'greeting' | 'opening' | 'over' = 'greeting'
		let refusal: ClientError | undefined
		let cancelTimer = (): void => {}

		const finish = (error: ClientError | undefined): void => {
			if (state === 'over') return
			state = 'over'
			cancelTimer()
			options.signal?.removeEventListener('abort', onAbort)
			if (error === undefined) return resolve()
			socket.close(1000, '')
			reject(error)
		}
		const wait = (delayMs: number, what: string): void => {
			cancelTimer()
			cancelTimer = options.clock.setTimer(delayMs, () => finish(new ClientError('timed_out', what, { retry: true })))
		}
		const onAbort = (): void => finish(new ClientError('cancelled', 'given up'))
		const handleMessage = (message: ServerMessage): void => {
			switch (message.op) {
				case 'auth_required': {
					const fault = state === 'greeting' ? greetingFault(message, options) : unexpected()
					if (fault !== undefined) return finish(fault)
					state = 'opening'
					wait(OPEN_MS, 'the machine did not answer in time. Try again')
					socket.sendText(helloText(options))
					return
				}
				case 'hello_ok':
					return state === 'opening' ? undefined : finish(unexpected())
				case 'opened':
					return finish(state === 'opening' ? undefined : unexpected())
				case 'refused':
					// The close with the same code follows; its arrival is not waited for.
					refusal = errorFromRefusal(message.code, message.reason, message.retry_after_ms)
					return finish(refusal)
				default:
					return message satisfies never
			}
		}
		options.signal?.addEventListener('abort', onAbort, { once: true })
		if (options.signal?.aborted === true) return onAbort()
		wait(LIMITS.helloMs, 'nothing greeted in time: this address may not be one of Sallyport')
		return socket.setHandlers({
			onText: (text) => {
				if (state === 'over') return
				const parsed = parseServerMessage(text)
				if (parsed.ok) handleMessage(parsed.value)
				else
					finish(
						new ClientError('answer_invalid', `the other side said something that is not understood (${parsed.error.detail})`),
					)
			},
			onBinary: () => finish(unexpected()),
			onClose: (close: SocketClose) => finish(errorFromClose(closeFromCode(close.code), close.reason)),
		})
	})
}

function helloText(options: HopOptions): string {
	const hello: ClientMessage = {
		op: 'hello',
		version: PROTOCOL_VERSION,
		...options.credential,
		open: { node_id: options.nodeId },
	}
	return encodeMessage(hello)
}

function greetingFault(greeting: Extract<ServerMessage, { op: 'auth_required' }>, options: HopOptions): ClientError | undefined {
	if (!greeting.versions.some((version) => PROTOCOL_VERSIONS.includes(version))) {
		return new ClientError('version', 'both ends speak different versions: upgrade the older one')
	}
	if (options.credential === undefined) return machineFault(greeting.node_id, options.nodeId)
	if (greeting.relay_id === undefined) return new ClientError('answer_invalid', 'this is not a relay but a machine')
	if (options.relayId !== undefined && greeting.relay_id !== options.relayId) {
		return new ClientError(
			'relay_changed',
			'another relay answers at this address than the one you signed in to. If it was set up anew, sign in again',
		)
	}
	return undefined
}

function machineFault(claimed: NodeId | undefined, wanted: NodeId): ClientError | undefined {
	if (claimed === wanted) return undefined
	return claimed === undefined
		? new ClientError('answer_invalid', 'a relay answers at this address, not a machine')
		: new ClientError('not_found', 'another machine answers at this address than the one asked for')
}

function unexpected(): ClientError {
	return new ClientError('answer_invalid', 'the other side spoke out of turn: it may be of a different version')
}
