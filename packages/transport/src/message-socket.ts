/** Why a socket ended, as far as this side knows. 1006: no close was seen. */
export interface SocketClose {
	readonly code: number
	readonly reason: string
}

/** What a socket's one reader gets. Called in order, never re-entered from `send…`. */
export interface MessageSocketHandlers {
	readonly onText: (text: string) => void
	/**
	 * The socket never reuses the bytes, so they may be handed on whole to another socket's `sendBinary`. They may be a
	 * view of a larger buffer: a reader copies what it wants to hold for long.
	 */
	readonly onBinary: (bytes: Uint8Array) => void
	/** The last call. */
	readonly onClose: (close: SocketClose) => void
}

/**
 * One WebSocket, in Node or in a browser, already open. Whoever made it closes it.
 *
 * Messages that arrive before `setHandlers` are kept (64 at most, then reading pauses) and delivered by it.
 */
export interface MessageSocket {
	/** Bytes handed to `send…` that the system has not taken yet; in Node with what each queued message costs besides. */
	readonly bufferedBytes: number
	readonly isOpen: boolean
	/** Replaces the handlers: a connection passes through phases (hello, handshake, records), each with its own reader. */
	setHandlers(handlers: MessageSocketHandlers): void
	/** Does nothing once the socket is closing. */
	sendText(text: string): void
	/** Takes over `bytes`: the caller neither changes nor reuses them. Does nothing once the socket is closing. */
	sendBinary(bytes: Uint8Array): void
	/** Calls back once, as soon as `bufferedBytes` is at or below `bytes`, or when the socket closes. Never at once. */
	onceDrained(bytes: number, callback: () => void): void
	/**
	 * Stops reading, so that the sender feels it; what was read already may still be delivered. In browsers it only
	 * marks: the platform can't pause a WebSocket.
	 */
	pause(): void
	resume(): void
	/**
	 * Closes with a code that the other side can read; idempotent. Nothing is delivered after it but `onClose`. Ends at
	 * once if the peer does not answer in 2 s. Browsers can send 1000 and 3000 to 4999 only; others become 1000 there.
	 */
	close(code: number, reason: string): void
	/** Drops the socket without a closing handshake; idempotent. Browsers can't: there the other side sees 1005, not 1006. */
	terminate(): void
}
