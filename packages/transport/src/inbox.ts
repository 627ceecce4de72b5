import type { MessageSocketHandlers, SocketClose } from './message-socket.ts'

/** How many messages wait for a reader before reading pauses. */
export const INBOX_MESSAGES = 64

/** Hands messages to the present reader in order, and keeps them while there is none. */
export class Inbox {
	#handlers: MessageSocketHandlers | undefined
	#waiting: (string | Uint8Array)[] | undefined
	#close: SocketClose | undefined
	#isDelivering = false
	#isDone = false

	get waitingMessages(): number {
		return this.#waiting?.length ?? 0
	}

	/** True when so many messages wait that the socket must stop reading. */
	get isFull(): boolean {
		return this.waitingMessages >= INBOX_MESSAGES
	}

	setHandlers(handlers: MessageSocketHandlers): void {
		this.#handlers = handlers
		this.#deliverWaiting()
	}

	push(message: string | Uint8Array): void {
		if (this.#handlers === undefined || this.#waiting !== undefined) {
			this.#waiting ??= []
			this.#waiting.push(message)
			return
		}
		if (typeof message === 'string') this.#handlers.onText(message)
		else this.#handlers.onBinary(message)
	}

	/** Drops what waits: after a local close nothing but the close is delivered. */
	discard(): void {
		this.#waiting = undefined
	}

	finish(close: SocketClose): void {
		this.#close ??= close
		this.#deliverWaiting()
	}

	/** A handler may call `setHandlers`: the rest then goes to the new reader, from this same loop. */
	#deliverWaiting(): void {
		if (this.#isDelivering || this.#handlers === undefined) return
		this.#isDelivering = true
		try {
			for (let message = this.#waiting?.shift(); message !== undefined; message = this.#waiting?.shift()) {
				if (typeof message === 'string') this.#handlers.onText(message)
				else this.#handlers.onBinary(message)
			}
			this.#waiting = undefined
		} finally {
			this.#isDelivering = false
		}
		if (this.#close !== undefined && !this.#isDone) {
			this.#isDone = true
			this.#handlers.onClose(this.#close)
		}
	}
}
