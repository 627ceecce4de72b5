import { INBOX_MESSAGES, Inbox } from '../inbox.ts'
import type { MessageSocket, MessageSocketHandlers } from '../message-socket.ts'

/** How often a buffer that must fall is looked at: the platform tells nothing. */
const DRAIN_POLL_MS = 4
const CLOSE_MS = 2000
const REASON_BYTES = 123

/** A `MessageSocket` over the platform's WebSocket. */
export class BrowserMessageSocket implements MessageSocket {
	readonly #ws: WebSocket
	readonly #inbox = new Inbox()
	#isClosedHere = false
	#isFinished = false
	#closeTimer: ReturnType<typeof setTimeout> | undefined
	readonly #drains = new Set<() => void>()

	/** Takes over an open WebSocket with `binaryType` `arraybuffer`. */
	constructor(ws: WebSocket) {
		this.#ws = ws
		ws.onmessage = (event: MessageEvent<unknown>) => this.#receive(event.data)
		ws.onclose = (event) => this.#finish(event.code, event.reason)
	}

	get bufferedBytes(): number {
		return this.#ws.bufferedAmount
	}

	get isOpen(): boolean {
		return this.#ws.readyState === WebSocket.OPEN
	}

	setHandlers(handlers: MessageSocketHandlers): void {
		this.#inbox.setHandlers(handlers)
	}

	sendText(text: string): void {
		if (this.isOpen) this.#ws.send(text)
	}

	sendBinary(bytes: Uint8Array): void {
		// The platform refuses views of shared memory, which nothing here makes; it copies the bytes at once.
		if (this.isOpen) this.#ws.send(bytes as Uint8Array<ArrayBuffer>)
	}

	onceDrained(bytes: number, callback: () => void): void {
		if (this.#isFinished || this.bufferedBytes <= bytes) {
			queueMicrotask(callback)
			return
		}
		const done = (): void => {
			clearInterval(timer)
			this.#drains.delete(done)
			callback()
		}
		const timer = setInterval(() => {
			if (this.bufferedBytes <= bytes) done()
		}, DRAIN_POLL_MS)
		this.#drains.add(done)
	}

	/** Browsers can't stop reading; the link's windows hold the sender back instead. */
	pause(): void {}

	resume(): void {}

	close(code: number, reason: string): void {
		if (this.#isClosedHere || this.#isFinished) return
		this.#isClosedHere = true
		this.#inbox.discard()
		this.#ws.close(isSendableCode(code) ? code : 1000, shortened(reason))
		this.#closeTimer = setTimeout(() => this.#finish(1006, 'the other side did not answer the close'), CLOSE_MS)
	}

	terminate(): void {
		if (this.#isFinished) return
		this.#isClosedHere = true
		this.#inbox.discard()
		this.#ws.close()
		queueMicrotask(() => this.#finish(1006, 'dropped by this side'))
	}

	#receive(data: unknown): void {
		if (this.#isClosedHere) return
		if (typeof data === 'string') this.#inbox.push(data)
		else if (data instanceof ArrayBuffer) this.#inbox.push(new Uint8Array(data))
		// Nobody reads yet and the platform can't be paused: a server that floods before its turn is cut off.
		if (this.#inbox.waitingMessages > INBOX_MESSAGES) this.close(4400, 'too many messages before a reader was there')
	}

	#finish(code: number, reason: string): void {
		if (this.#isFinished) return
		this.#isFinished = true
		clearTimeout(this.#closeTimer)
		this.#ws.onmessage = null
		this.#ws.onclose = null
		this.#inbox.finish({ code, reason })
		for (const done of [...this.#drains]) done()
	}
}

function isSendableCode(code: number): boolean {
	return code === 1000 || (code >= 3000 && code <= 4999)
}

function shortened(reason: string): string {
	const encoder = new TextEncoder()
	if (encoder.encode(reason).length <= REASON_BYTES) return reason
	let text = reason.slice(0, REASON_BYTES)
	while (encoder.encode(text).length > REASON_BYTES - 3) text = text.slice(0, -1)
	return `${text}…`
}
