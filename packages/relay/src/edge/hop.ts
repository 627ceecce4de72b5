import type { CloseCode, HopMessage, Result } from '@sallyport/protocol'
import { CLOSE, encodeMessage } from '@sallyport/protocol'
import type { NodeMessageSocket } from '@sallyport/transport/node'
import type { Refusal } from '../control-plane.ts'

/** Messages that may wait while an earlier one is being judged: none of our peers sends more. */
const QUEUED_MESSAGES = 4

/**
 * The talk at the beginning of a socket, one message at a time. Whatever goes wrong is answered and ends the socket
 * here, so that its user only sees that nothing came.
 */
export class Hop {
	readonly socket: NodeMessageSocket
	readonly #queue: string[] = []
	#waiting: ((text: string | undefined) => void) | undefined
	#isEnded = false
	/** Called once when the socket ends, refused or lost, until `handOver`. */
	onEnd: (() => void) | undefined

	constructor(socket: NodeMessageSocket) {
		this.socket = socket
		socket.setHandlers({
			onText: (text) => this.#take(text),
			onBinary: () => this.refuse(CLOSE.badRequest, 'binary data came before the socket was opened for it'),
			onClose: () => this.#end(),
		})
	}

	get isEnded(): boolean {
		return this.#isEnded
	}

	send(message: HopMessage): void {
		this.socket.sendText(encodeMessage(message))
	}

	/** The next message, or nothing: then the socket is refused or gone. */
	async read<T>(parse: (text: string) => Result<T>, timeoutMs: number): Promise<T | undefined> {
		const text = await this.#next(timeoutMs)
		if (text === undefined) return undefined
		const parsed = parse(text)
		if (parsed.ok) return parsed.value
		this.refuse(CLOSE.badRequest, parsed.error.detail)
		return undefined
	}

	refuse(close: CloseCode, reason: string = close.message, retryAfterMs?: number): void {
		if (this.#isEnded) return
		const text = reason.slice(0, 512)
		this.send({
			op: 'refused',
			code: close.name,
			reason: text,
			...(retryAfterMs === undefined ? {} : { retry_after_ms: Math.ceil(retryAfterMs) }),
		})
		this.socket.close(close.code, text)
		this.#end()
	}

	/** Tells what control decided. */
	refuseAs(refusal: Refusal): void {
		const close = Object.values(CLOSE).find((candidate) => candidate.name === refusal.close) ?? CLOSE.forbidden
		this.refuse(close, refusal.reason, refusal.retryAfterMs)
	}

	/** Ends the talk: the caller sets handlers of its own next. Refuses a peer that did not wait for its turn. */
	handOver(): NodeMessageSocket | undefined {
		if (this.#isEnded) return undefined
		if (this.#queue.length > 0) {
			this.refuse(CLOSE.badRequest, 'a message came before the answer to the one before it')
			return undefined
		}
		this.#isEnded = true
		this.onEnd = undefined
		return this.socket
	}

	#take(text: string): void {
		if (this.#isEnded) return
		const waiting = this.#waiting
		if (waiting !== undefined) {
			this.#waiting = undefined
			waiting(text)
		} else if (this.#queue.length < QUEUED_MESSAGES) this.#queue.push(text)
		else this.refuse(CLOSE.badRequest, 'too many messages came before the answer to the first')
	}

	#next(timeoutMs: number): Promise<string | undefined> {
		const queued = this.#queue.shift()
		if (queued !== undefined || this.#isEnded) return Promise.resolve(queued)
		return new Promise((resolve) => {
			const timer = setTimeout(() => this.refuse(CLOSE.timedOut, `nothing came within ${timeoutMs / 1000} s`), timeoutMs)
			this.#waiting = (text) => {
				clearTimeout(timer)
				resolve(text)
			}
		})
	}

	#end(): void {
		if (this.#isEnded) return
		this.#isEnded = true
		this.#waiting?.(undefined)
		this.#waiting = undefined
		this.onEnd?.()
		this.onEnd = undefined
	}
}
