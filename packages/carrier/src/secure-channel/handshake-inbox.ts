import type { HandshakeFaultCode } from '@sallyport/link'
import { CLOSE } from '@sallyport/protocol'
import type { MessageSocket, SocketClose } from '@sallyport/transport'

/** Nothing is proven yet: a stranger may not make this side hold more. A client waits for `link_ready` anyway. */
const HELD_MAX_BYTES = 512 * 1024

/** Why no channel came about, besides the faults of the handshake itself; listed in `docs/errors.md`. */
export const CHANNEL_OPEN_FAULT_CODES = [
	'HANDSHAKE_TIMED_OUT',
	/** The caller gave up. */
	'HANDSHAKE_ABORTED',
	/** The socket closed first: `close` tells what is known of it. */
	'CONNECTION_CLOSED',
	/** A text message, or more than a peer may send so early. */
	'MESSAGE_UNEXPECTED',
	/** This side itself failed, in its crypto or by a wrong call. */
	'HANDSHAKE_INTERNAL',
] as const

export interface ChannelOpenFault {
	readonly code: HandshakeFaultCode | (typeof CHANNEL_OPEN_FAULT_CODES)[number]
	/** For the log; holds no secret. */
	readonly detail: string
	readonly close?: SocketClose
}

/** Carries a fault out of the steps of a handshake; caught where they began. */
export class HandshakeEnded extends Error {
	override readonly name = 'HandshakeEnded'
	readonly fault: ChannelOpenFault

	constructor(fault: ChannelOpenFault) {
		super(fault.detail)
		this.fault = fault
	}
}

/** Reads a socket while a handshake lasts; whatever else happens on it ends the handshake. */
export class HandshakeInbox {
	readonly #socket: MessageSocket
	readonly #signal: AbortSignal | undefined
	#messages: Uint8Array[] = []
	#heldBytes = 0
	#fault: ChannelOpenFault | undefined
	#wake: (() => void) | undefined
	#onEnd: (() => void) | undefined

	constructor(socket: MessageSocket, signal: AbortSignal | undefined) {
		this.#socket = socket
		this.#signal = signal
		signal?.addEventListener('abort', this.#aborted)
		if (signal?.aborted === true) this.#aborted()
		socket.setHandlers({
			onText: () => this.#end({ code: 'MESSAGE_UNEXPECTED', detail: 'text message during a handshake' }),
			onBinary: (message) => this.#hold(message),
			onClose: (close) =>
				this.#end({ code: 'CONNECTION_CLOSED', detail: `socket closed with ${close.code} during the handshake`, close }),
		})
	}

	/** The next message. Rejects with `HandshakeEnded`. */
	async receive(): Promise<Uint8Array> {
		while (this.#messages.length === 0) await this.unlessEnded(new Promise<void>((resolve) => (this.#wake = resolve)))
		this.#throwIfEnded()
		const message = this.#messages.shift() ?? new Uint8Array(0)
		this.#heldBytes -= message.length
		return message
	}

	/** Waits for other work, and no longer than the handshake lasts. */
	async unlessEnded<T>(work: Promise<T>): Promise<T> {
		this.#throwIfEnded()
		const ended = new Promise<never>((_, reject) => {
			this.#onEnd = () => reject(new HandshakeEnded(this.#fault ?? ABORTED))
		})
		return await Promise.race([work, ended])
	}

	/** Ends the reading: what came after the last handshake message is the channel's. */
	takeRest(): readonly Uint8Array[] {
		this.#throwIfEnded()
		this.#signal?.removeEventListener('abort', this.#aborted)
		const rest = this.#messages
		this.#messages = []
		return rest
	}

	/** Closes the socket of a handshake that failed, with the code that fits. */
	abandon(fault: ChannelOpenFault): void {
		this.#signal?.removeEventListener('abort', this.#aborted)
		this.#messages = []
		this.#fault ??= fault
		const { code, name } = closeFor(fault)
		this.#socket.close(code, name)
	}

	readonly #aborted = (): void => {
		const reason: unknown = this.#signal?.reason
		const isTimeout = reason instanceof Error && reason.name === 'TimeoutError'
		this.#end(isTimeout ? { code: 'HANDSHAKE_TIMED_OUT', detail: 'the handshake took too long' } : ABORTED)
	}

	#hold(message: Uint8Array): void {
		if (this.#fault !== undefined) return
		this.#heldBytes += message.length
		if (this.#heldBytes > HELD_MAX_BYTES)
			return this.#end({ code: 'MESSAGE_UNEXPECTED', detail: `${this.#heldBytes} bytes came before the handshake's end` })
		this.#messages.push(message)
		this.#wake?.()
	}

	#end(fault: ChannelOpenFault): void {
		this.#fault ??= fault
		this.#onEnd?.()
	}

	#throwIfEnded(): void {
		if (this.#fault !== undefined) throw new HandshakeEnded(this.#fault)
	}
}

const ABORTED: ChannelOpenFault = { code: 'HANDSHAKE_ABORTED', detail: 'the handshake was given up' }

function closeFor(fault: ChannelOpenFault): { readonly code: number; readonly name: string } {
	switch (fault.code) {
		case 'HANDSHAKE_TIMED_OUT':
			return CLOSE.timedOut
		case 'VERSION_UNSUPPORTED':
		case 'SUITE_UNSUPPORTED':
			return CLOSE.version
		case 'HANDSHAKE_ABORTED':
			return CLOSE.normal
		case 'MESSAGE_UNEXPECTED':
			return CLOSE.badRequest
		default:
			return CLOSE.handshakeFailed
	}
}
