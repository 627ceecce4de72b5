import type { Socket } from 'node:net'
import type WebSocket from 'ws'
import { Inbox } from '../inbox.ts'
import type { MessageSocket, MessageSocketHandlers } from '../message-socket.ts'

/** What one message in a send queue costs besides its bytes: two entries of Node's write queue and a header. */
const QUEUED_MESSAGE_BYTES = 256
/** Messages below this size that are sent in one tick go out in one system call. */
const CORK_BYTES = 8 * 1024
/** What a close frame can carry. */
const REASON_BYTES = 123

interface DrainWaiter {
	readonly bytes: number
	readonly callback: () => void
}

/** A `MessageSocket` over `ws`; besides, it can ping and tell what the system underneath has done. */
export class NodeMessageSocket implements MessageSocket {
	readonly #ws: WebSocket
	readonly #tcp: Socket
	readonly #inbox = new Inbox()
	#waiters: DrainWaiter[] | undefined
	#queuedMessages = 0
	#isCorked = false
	#isPausedByUser = false
	#isPausedByInbox = false
	#isClosedHere = false
	#failure = ''
	#pauses = 0
	/** Called with each pong's payload. One listener is enough: a socket has one keeper. */
	onPong: ((payload: Uint8Array) => void) | undefined

	/** Takes over an open WebSocket and the TCP or TLS socket under it. */
	constructor(ws: WebSocket, tcp: Socket) {
		this.#ws = ws
		this.#tcp = tcp
		ws.binaryType = 'nodebuffer'
		ws.on('message', (data: Buffer, isBinary: boolean) => this.#receive(data, isBinary))
		ws.on('pong', (payload: Buffer) => this.onPong?.(payload))
		ws.on('error', (error: Error) => {
			this.#failure = 'code' in error && typeof error.code === 'string' ? error.code : error.message
		})
		ws.on('close', (code: number, reason: Buffer) => this.#finish(code, reason.toString()))
	}

	get bufferedBytes(): number {
		const bytes = this.#ws.bufferedAmount
		return bytes === 0 ? 0 : bytes + this.#queuedMessages * QUEUED_MESSAGE_BYTES
	}

	get isOpen(): boolean {
		return this.#ws.readyState === this.#ws.OPEN
	}

	get isPaused(): boolean {
		return this.#isPausedByUser || this.#isPausedByInbox
	}

	/** How often reading was stopped: tells a keeper that there was a time when nothing could be heard. */
	get pauses(): number {
		return this.#pauses
	}

	/** All bytes that ever came in, pongs and padding included: it rises while the peer lives. */
	get receivedBytes(): number {
		return this.#tcp.bytesRead
	}

	/**
	 * Changes whenever the system takes bytes of this socket, also in the middle of one large write, where `bufferedBytes`
	 * does not: it tells a slow peer from one that has stopped. Worth asking only while something is buffered.
	 */
	get drainMark(): string {
		const done = (this.#tcp.bytesWritten ?? 0) - this.#tcp.writableLength
		const handle: unknown = Reflect.get(this.#tcp, '_handle')
		const inSystem: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'writeQueueSize') : 0
		return `${done}:${typeof inSystem === 'number' ? inSystem : 0}`
	}

	/** Address of the other end of this hop: a proxy's, if there is one between. */
	get remoteAddress(): string {
		return this.#tcp.remoteAddress ?? ''
	}

	setHandlers(handlers: MessageSocketHandlers): void {
		this.#inbox.setHandlers(handlers)
		if (!this.#isPausedByInbox || this.#inbox.isFull) return
		this.#isPausedByInbox = false
		if (!this.#isPausedByUser) this.#ws.resume()
	}

	sendText(text: string): void {
		if (!this.isOpen) return
		this.#corkFor(text.length)
		this.#queuedMessages++
		this.#ws.send(text, this.#onSent)
	}

	sendBinary(bytes: Uint8Array): void {
		if (!this.isOpen) return
		this.#corkFor(bytes.length)
		this.#queuedMessages++
		this.#ws.send(bytes, this.#onSent)
	}

	onceDrained(bytes: number, callback: () => void): void {
		if (this.bufferedBytes <= bytes || this.#ws.readyState === this.#ws.CLOSED) {
			queueMicrotask(callback)
			return
		}
		this.#waiters ??= []
		this.#waiters.push({ bytes, callback })
	}

	pause(): void {
		this.#isPausedByUser = true
		this.#pauses++
		this.#ws.pause()
	}

	resume(): void {
		this.#isPausedByUser = false
		if (!this.#isPausedByInbox) this.#ws.resume()
	}

	/** Sends a WebSocket ping with at most 125 bytes, which the pong brings back. */
	ping(payload: Uint8Array): void {
		if (this.isOpen) this.#ws.ping(payload)
	}

	close(code: number, reason: string): void {
		if (this.#isClosedHere || this.#ws.readyState === this.#ws.CLOSED) return
		this.#isClosedHere = true
		this.#inbox.discard()
		this.#ws.close(code, shortened(reason))
		// Else the peer's answer would never be read.
		this.#ws.resume()
	}

	terminate(): void {
		this.#isClosedHere = true
		this.#inbox.discard()
		this.#ws.terminate()
	}

	#receive(data: Buffer, isBinary: boolean): void {
		if (this.#isClosedHere) return
		this.#inbox.push(isBinary ? data : data.toString())
		if (!this.#inbox.isFull || this.#isPausedByInbox) return
		this.#isPausedByInbox = true
		this.#pauses++
		this.#ws.pause()
	}

	readonly #onSent = (): void => {
		this.#queuedMessages--
		if (this.#waiters !== undefined) this.#wakeDrained()
	}

	#wakeDrained(): void {
		const buffered = this.#ws.readyState === this.#ws.CLOSED ? 0 : this.bufferedBytes
		const ready = this.#waiters?.filter((waiter) => buffered <= waiter.bytes) ?? []
		if (ready.length === 0) return
		const left = this.#waiters?.filter((waiter) => buffered > waiter.bytes) ?? []
		this.#waiters = left.length === 0 ? undefined : left
		for (const waiter of ready) waiter.callback()
	}

	#finish(code: number, reason: string): void {
		this.#inbox.finish({ code, reason: reason === '' && code === 1006 ? this.#failure : reason })
		this.#queuedMessages = 0
		this.#wakeDrained()
	}

	#corkFor(length: number): void {
		if (this.#isCorked || length > CORK_BYTES) return
		this.#isCorked = true
		this.#tcp.cork()
		process.nextTick(uncork, this)
	}

	/** Lets out what this tick has sent. */
	static uncork(socket: NodeMessageSocket): void {
		socket.#isCorked = false
		socket.#tcp.uncork()
	}
}

const uncork = NodeMessageSocket.uncork

/** Cuts a reason to what a close frame can carry, at a character's boundary. */
function shortened(reason: string): string {
	if (Buffer.byteLength(reason) <= REASON_BYTES) return reason
	let text = reason.slice(0, REASON_BYTES)
	while (Buffer.byteLength(text) > REASON_BYTES - 3) text = text.slice(0, -1)
	return `${text}…`
}
