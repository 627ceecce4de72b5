import type { MessageSocket, MessageSocketHandlers, SocketClose } from '../../packages/transport/src/message-socket.ts'

/** What a path may do with a message: pass it, change it, drop it (none) or multiply it. */
export type Tap = (message: Uint8Array, index: number) => readonly Uint8Array[]

/** One end of two joined in-memory sockets. Messages pass in microtasks, in order, and through the taps of the path. */
export class MemorySocket implements MessageSocket {
	peer: MemorySocket | undefined
	/** Applied to what this end sends. */
	tap: Tap = (message) => [message]
	/** Every message that this end sent, before the tap. */
	readonly sent: Uint8Array[] = []
	bufferedBytes = 0
	isOpen = true
	isPaused = false
	#handlers: MessageSocketHandlers | undefined
	#inbox: (string | Uint8Array)[] = []
	#close: SocketClose | undefined
	#isDelivering = false
	#drains: { readonly bytes: number; readonly callback: () => void }[] = []

	setHandlers(handlers: MessageSocketHandlers): void {
		this.#handlers = handlers
		this.#deliver()
	}

	sendText(text: string): void {
		if (this.isOpen) queueMicrotask(() => this.peer?.arrive(text))
	}

	sendBinary(bytes: Uint8Array): void {
		if (!this.isOpen) return
		const index = this.sent.push(bytes) - 1
		for (const message of this.tap(bytes, index)) queueMicrotask(() => this.peer?.arrive(message))
	}

	onceDrained(bytes: number, callback: () => void): void {
		this.#drains.push({ bytes, callback })
		queueMicrotask(() => this.drainTo(this.bufferedBytes))
	}

	/** Sets what the system has not taken yet, and calls back whoever waited for it. */
	drainTo(bytes: number): void {
		this.bufferedBytes = bytes
		const due = this.#drains.filter((drain) => bytes <= drain.bytes || !this.isOpen)
		this.#drains = this.#drains.filter((drain) => !due.includes(drain))
		for (const drain of due) drain.callback()
	}

	pause(): void {
		this.isPaused = true
	}

	resume(): void {
		this.isPaused = false
		this.#deliver()
	}

	close(code: number, reason: string): void {
		this.#shut({ code, reason })
	}

	terminate(): void {
		this.#shut({ code: 1006, reason: '' })
	}

	/** A message from the path, whoever made it. */
	arrive(message: string | Uint8Array): void {
		this.#inbox.push(message)
		this.#deliver()
	}

	/** The path's end of the close. */
	closed(close: SocketClose): void {
		if (this.#close !== undefined) return
		this.isOpen = false
		this.#close = close
		this.#deliver()
	}

	#shut(close: SocketClose): void {
		if (!this.isOpen) return
		this.isOpen = false
		this.#inbox = []
		this.#close = close
		queueMicrotask(() => {
			this.#deliver()
			this.peer?.closed(close)
			this.drainTo(0)
		})
	}

	#deliver(): void {
		if (this.#isDelivering) return
		this.#isDelivering = true
		while (this.#handlers !== undefined && !this.isPaused) {
			const message = this.#inbox.shift()
			if (message === undefined) break
			if (typeof message === 'string') this.#handlers.onText(message)
			else this.#handlers.onBinary(message)
		}
		this.#isDelivering = false
		if (this.#close === undefined || this.#handlers === undefined || this.#inbox.length > 0) return
		const handlers = this.#handlers
		this.#handlers = undefined
		handlers.onClose(this.#close)
	}
}

export function memorySocketPair(): readonly [MemorySocket, MemorySocket] {
	const left = new MemorySocket()
	const right = new MemorySocket()
	left.peer = right
	right.peer = left
	return [left, right]
}
