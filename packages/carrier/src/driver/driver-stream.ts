import type { ResetCode, StreamKind } from '@sallyport/protocol'
import type { InboundStreamMessage, LinkStream, LinkStreamHandlers, OutboundStreamMessage, StreamReset } from '../link-stream.ts'

/** What a stream asks of the link it belongs to. */
export interface StreamPort {
	sendData(id: number, bytes: Uint8Array, fd: 0 | 1 | 2): boolean
	sendMessage(id: number, message: OutboundStreamMessage): void
	consume(id: number, byteCount: number): void
	endStream(id: number): void
	resetStream(id: number, code: ResetCode, message: string | undefined): void
}

type StreamEvent =
	| { readonly kind: 'data'; readonly bytes: Uint8Array; readonly fd: number }
	| { readonly kind: 'message'; readonly message: InboundStreamMessage }
	| { readonly kind: 'end' }
	| { readonly kind: 'reset'; readonly reset: StreamReset }
	| { readonly kind: 'drain' }
	/** Both directions ended in peace. */
	| { readonly kind: 'closed' }

/** A stream's identity and lifetime; what it carries is bounded by the machine's windows, so its queue is too. */
export class DriverStream implements LinkStream {
	readonly id: number
	readonly kind: StreamKind
	readonly #port: StreamPort
	#handlers: LinkStreamHandlers | undefined
	#early: StreamEvent[] = []
	#localEnded = false
	#isOver = false

	constructor(id: number, kind: StreamKind, port: StreamPort) {
		this.id = id
		this.kind = kind
		this.#port = port
	}

	get isOver(): boolean {
		return this.#isOver
	}

	setHandlers(handlers: LinkStreamHandlers): void {
		this.#handlers = handlers
		const early = this.#early
		this.#early = []
		for (const event of early) this.#handle(handlers, event)
	}

	write(bytes: Uint8Array, fd: 0 | 1 | 2 = 0): boolean {
		if (this.#localEnded || this.#isOver || bytes.length === 0) return true
		return this.#port.sendData(this.id, bytes, fd)
	}

	consume(byteCount: number): void {
		if (byteCount > 0) this.#port.consume(this.id, byteCount)
	}

	send(message: OutboundStreamMessage): void {
		if (!this.#localEnded && !this.#isOver) this.#port.sendMessage(this.id, message)
	}

	end(): void {
		if (this.#localEnded || this.#isOver) return
		this.#localEnded = true
		this.#port.endStream(this.id)
	}

	reset(code: ResetCode, message?: string): void {
		if (this.#isOver) return
		this.#port.resetStream(this.id, code, message)
		this.deliver({ kind: 'reset', reset: { code, message: message ?? code, byPeer: false } })
	}

	/** An event from the link, in the order it came. Nothing follows `reset` and `closed`. */
	deliver(event: StreamEvent): void {
		if (this.#isOver) return
		if (event.kind === 'reset' || event.kind === 'closed') this.#isOver = true
		if (this.#handlers === undefined) this.#early.push(event)
		else this.#handle(this.#handlers, event)
	}

	#handle(handlers: LinkStreamHandlers, event: StreamEvent): void {
		switch (event.kind) {
			case 'data':
				return handlers.onData?.(event.bytes, event.fd)
			case 'message':
				return handlers.onMessage?.(event.message)
			case 'end':
				return handlers.onEnd?.()
			case 'drain':
				return handlers.onDrain?.()
			case 'reset':
				handlers.onReset?.(event.reset)
				return handlers.onClose?.()
			case 'closed':
				return handlers.onClose?.()
		}
	}
}
