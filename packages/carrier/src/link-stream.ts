import type { LinkMessage, ResetCode, StreamKind, StreamMessage } from '@sallyport/protocol'

/** A message about one stream, without its `id`, which the stream adds. */
export type OutboundStreamMessage = WithoutId<
	Extract<StreamMessage, { op: 'resize' | 'signal' | 'exit' | 'login_prompt' | 'login_answer' | 'host_key' }>
>
export type InboundStreamMessage = Extract<
	LinkMessage,
	{ op: 'resize' | 'signal' | 'exit' | 'login_prompt' | 'login_answer' | 'host_key' }
>
type WithoutId<M> = M extends { id: number } ? Omit<M, 'id'> : never

/** Why a stream ended both ways before its time. */
export interface StreamReset {
	readonly code: ResetCode
	readonly message: string
	/** True when the other side said it; false when this side or the loss of the link did. */
	readonly byPeer: boolean
}

export interface LinkStreamHandlers {
	/**
	 * Bytes in order. They are the handler's to keep. Credit goes back to the sender only by `stream.consume`: call it
	 * when the bytes have left this process's hands. `fd` is 0, 1 or 2 on an `exec` stream, else 0.
	 */
	readonly onData?: (bytes: Uint8Array, fd: number) => void
	readonly onMessage?: (message: InboundStreamMessage) => void
	/** The peer half-closed: no more data comes. */
	readonly onEnd?: () => void
	/** The last call, unless both sides ended in peace. */
	readonly onReset?: (reset: StreamReset) => void
	/** After `write` said false: there is room again. */
	readonly onDrain?: () => void
	/** Both directions are done, in peace or not. Exactly once. */
	readonly onClose?: () => void
}

/** One flow-controlled stream of a link; it survives connections, not the link. */
export interface LinkStream {
	readonly id: number
	readonly kind: StreamKind
	/** Replaces the handlers; what came before the first call is delivered by it. */
	setHandlers(handlers: LinkStreamHandlers): void
	/**
	 * Queues bytes in order and takes them over: the caller doesn't change them. False: the queue is full, stop reading the
	 * source until `onDrain`; the bytes are queued all the same. `fd` is for `exec`: 0 to the node, 1 or 2 from it.
	 */
	write(bytes: Uint8Array, fd?: 0 | 1 | 2): boolean
	/** Gives credit back for bytes that `onData` handed over. */
	consume(byteCount: number): void
	/** In order with the data. */
	send(message: OutboundStreamMessage): void
	/** Half-closes after what was written. */
	end(): void
	/** Ends both ways at once; idempotent. */
	reset(code: ResetCode, message?: string): void
}
