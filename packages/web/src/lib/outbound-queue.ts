/** Where keystrokes go. False: held back until `onWritable`; what was given is kept. */
export interface ByteSink {
	write(bytes: Uint8Array): boolean
	onWritable(handler: () => void): void
}

const PIECE_BYTES = 16 * 1024
const MAX_QUEUED_BYTES = 64 * 1024 * 1024

/**
 * Sends what is typed and pasted in order and in pieces, and waits while the host isn't reading: a paste of any size
 * neither blocks the page nor is cut. What is typed after a paste comes after it.
 */
export class OutboundQueue {
	readonly #sink: ByteSink
	readonly #pending: Uint8Array[] = []
	#queuedBytes = 0
	#isBlocked = false

	constructor(sink: ByteSink) {
		this.#sink = sink
		sink.onWritable(() => {
			this.#isBlocked = false
			this.#drain()
		})
	}

	get queuedBytes(): number {
		return this.#queuedBytes
	}

	/** False when the queue is full (64 MiB behind a host that doesn't read) and the bytes were refused as a whole. */
	push(bytes: Uint8Array): boolean {
		if (this.#queuedBytes + bytes.length > MAX_QUEUED_BYTES) return false
		if (bytes.length === 0) return true
		this.#pending.push(bytes)
		this.#queuedBytes += bytes.length
		this.#drain()
		return true
	}

	/** Forgets what hasn't been sent: the stream is gone. */
	clear(): void {
		this.#pending.length = 0
		this.#queuedBytes = 0
	}

	#drain(): void {
		while (!this.#isBlocked) {
			const next = this.#pending[0]
			if (next === undefined) return
			const piece = next.subarray(0, PIECE_BYTES)
			if (piece.length === next.length) this.#pending.shift()
			else this.#pending[0] = next.subarray(PIECE_BYTES)
			this.#queuedBytes -= piece.length
			this.#isBlocked = !this.#sink.write(piece.slice())
		}
	}
}
