import { LIMITS } from '@sallyport/protocol'
import type { MessageSocket, SocketClose } from '@sallyport/transport'
import type { MaybePromise, RecordCipher } from '../crypto/crypto-driver.ts'
import type { ChannelEnd, ChannelFaultCode } from './channel-end.ts'
import { InOrder } from './in-order.ts'

const TAG_BYTES = LIMITS.recordBytes - LIMITS.recordPlaintextBytes
/** Above this much undelivered the socket is asked to stop reading, below the lower one to go on. */
const INBOUND_HIGH_BYTES = 1024 * 1024
const INBOUND_LOW_BYTES = 256 * 1024
/** What a held record costs besides its bytes, so that a flood of tiny ones meets the same limit. */
const HELD_RECORD_BYTES = 256
/** Twice what a link's window lets a peer send: only a peer that breaks flow control gets here. */
export const INBOUND_MAX_BYTES: number = 2 * LIMITS.linkWindowBytes

export interface SecureChannelHandlers {
	/** In order, each once, never re-entered from `send`. The bytes are the reader's. */
	readonly onRecord: (plaintext: Uint8Array) => void
	/** The last call. The keys are wiped and the socket is closed by then. */
	readonly onEnd: (end: ChannelEnd) => void
}

/**
 * One connection's records: sealed, counted and rekeyed in each direction by itself. A forged, missing or repeated record
 * ends it. Shaped like a `MessageSocket`; delivery starts with `setHandlers`.
 */
export interface SecureChannel {
	/** Bytes handed to `send` that the system has not taken yet, those being sealed included. */
	readonly bufferedBytes: number
	readonly isOpen: boolean
	setHandlers(handlers: SecureChannelHandlers): void
	/**
	 * Seals and sends one record; several parts are one plaintext. The channel reads the bytes before it returns, unless
	 * its crypto is asynchronous: the caller doesn't change them. Does nothing once the channel has ended.
	 *
	 * @throws {RangeError} for a plaintext above `LIMITS.recordPlaintextBytes`
	 */
	send(plaintext: Uint8Array | readonly Uint8Array[]): void
	/** Calls back once, as soon as `bufferedBytes` has fallen to about `bytes`, or when the channel ends. Never at once. */
	onceDrained(bytes: number, callback: () => void): void
	/** Stops delivery at once, and reading soon. */
	pause(): void
	resume(): void
	/** Sends what is being sealed, then closes the socket; nothing more is delivered but `onEnd`. Idempotent. */
	close(code: number, reason: string): void
	/** Drops the socket at once; idempotent. */
	terminate(): void
}

export interface SecureChannelOptions {
	readonly socket: MessageSocket
	readonly sealer: RecordCipher
	readonly opener: RecordCipher
	/** Records that arrived before the channel was there. */
	readonly early?: readonly Uint8Array[]
	/** @default LIMITS.recordsPerKey: both sides must agree; for tests */
	readonly recordsPerKey?: number
}

/** Takes over the socket, the ciphers and the records that came early. */
export function createSecureChannel(options: SecureChannelOptions): SecureChannel {
	return new SocketChannel(options)
}

class SocketChannel implements SecureChannel {
	readonly #socket: MessageSocket
	readonly #sealer: RecordCipher
	readonly #opener: RecordCipher
	readonly #recordsPerKey: number
	readonly #outbound: InOrder<Uint8Array>
	readonly #inbound: InOrder<Uint8Array | undefined>
	#handlers: SecureChannelHandlers | undefined
	#state: 'open' | 'closing' | 'ended' = 'open'
	#end: ChannelEnd | undefined
	#sealed = 0
	#received = 0
	#delivered = 0
	#isPaused = false
	#isCongested = false

	constructor(options: SecureChannelOptions) {
		this.#socket = options.socket
		this.#sealer = options.sealer
		this.#opener = options.opener
		this.#recordsPerKey = options.recordsPerKey ?? LIMITS.recordsPerKey
		const fail = (error: unknown): void => this.#fault('CRYPTO_FAILED', `crypto failed: ${String(error)}`)
		this.#outbound = new InOrder({ deliver: (record) => this.#socket.sendBinary(record), fail, isPaused: false })
		this.#inbound = new InOrder({ deliver: (plaintext) => this.#deliver(plaintext), fail, isPaused: true })
		for (const record of options.early ?? []) this.#receive(record)
		if (this.#state === 'open') {
			this.#socket.setHandlers({
				onText: () => this.#fault('TEXT_UNEXPECTED', 'text message among records'),
				onBinary: (record) => this.#receive(record),
				onClose: (close) => this.#socketClosed(close),
			})
		}
	}

	get bufferedBytes(): number {
		return this.#socket.bufferedBytes + this.#outbound.queuedBytes
	}

	get isOpen(): boolean {
		return this.#state === 'open' && this.#socket.isOpen
	}

	setHandlers(handlers: SecureChannelHandlers): void {
		this.#handlers = handlers
		if (this.#end !== undefined) return this.#reportEnd(this.#end)
		if (!this.#isPaused) this.#inbound.resume()
	}

	send(plaintext: Uint8Array | readonly Uint8Array[]): void {
		const parts = plaintext instanceof Uint8Array ? [plaintext] : plaintext
		let length = 0
		for (const part of parts) length += part.length
		if (length > LIMITS.recordPlaintextBytes)
			throw new RangeError(`record of ${length} bytes exceeds ${LIMITS.recordPlaintextBytes}`)
		if (this.#state !== 'open') return
		this.#outbound.push(this.#seal(parts), length + TAG_BYTES)
	}

	onceDrained(bytes: number, callback: () => void): void {
		this.#outbound.onceAtMost(bytes, () => this.#socket.onceDrained(bytes, callback))
	}

	pause(): void {
		if (this.#isPaused) return
		this.#isPaused = true
		this.#inbound.pause()
		this.#socket.pause()
	}

	resume(): void {
		if (!this.#isPaused) return
		this.#isPaused = false
		if (!this.#isCongested) this.#socket.resume()
		if (this.#handlers !== undefined) this.#inbound.resume()
	}

	close(code: number, reason: string): void {
		if (this.#state !== 'open') return
		this.#state = 'closing'
		this.#inbound.pause()
		this.#inbound.drop()
		this.#outbound.onceAtMost(0, () => this.#socket.close(code, reason))
	}

	terminate(): void {
		if (this.#state === 'ended') return
		this.#state = 'closing'
		this.#inbound.pause()
		this.#inbound.drop()
		this.#outbound.drop()
		this.#socket.terminate()
	}

	#seal(parts: readonly Uint8Array[]): MaybePromise<Uint8Array> {
		const counter = this.#sealed++
		try {
			if (counter > 0 && counter % this.#recordsPerKey === 0) this.#sealer.rekey()
			return this.#sealer.seal(counter, parts)
		} catch (error) {
			// Told like an asynchronous failure, so that `send` never calls a handler.
			return Promise.reject(error)
		}
	}

	#receive(record: Uint8Array): void {
		if (this.#state !== 'open') return
		const cost = record.length + HELD_RECORD_BYTES
		const held = this.#inbound.queuedBytes + cost
		if (record.length > LIMITS.recordBytes)
			return this.#fault('RECORD_TOO_LARGE', `record of ${record.length} bytes exceeds ${LIMITS.recordBytes}`)
		if (record.length < TAG_BYTES)
			return this.#fault('RECORD_TRUNCATED', `record of ${record.length} bytes is shorter than its tag`)
		if (held > INBOUND_MAX_BYTES) return this.#fault('INBOUND_OVERRUN', `${held} bytes arrived unasked`)
		const counter = this.#received++
		this.#inbound.push(this.#open(counter, record), cost)
		if (this.#inbound.queuedBytes > INBOUND_HIGH_BYTES) this.#congest()
	}

	#open(counter: number, record: Uint8Array): MaybePromise<Uint8Array | undefined> {
		try {
			if (counter > 0 && counter % this.#recordsPerKey === 0) this.#opener.rekey()
			return this.#opener.open(counter, record)
		} catch (error) {
			return Promise.reject(error)
		}
	}

	#deliver(plaintext: Uint8Array | undefined): void {
		if (plaintext === undefined) {
			this.#fault('RECORD_FORGED', `record ${this.#delivered} was altered, dropped, repeated or put out of order on the path`)
			return
		}
		this.#delivered++
		this.#handlers?.onRecord(plaintext)
	}

	#congest(): void {
		if (this.#isCongested) return
		this.#isCongested = true
		this.#socket.pause()
		this.#inbound.onceAtMost(INBOUND_LOW_BYTES, () => {
			this.#isCongested = false
			if (!this.#isPaused) this.#socket.resume()
		})
	}

	/** What arrived before the close is delivered first. */
	#socketClosed(close: SocketClose): void {
		if (this.#state === 'closing') return this.#finish({ kind: 'closed', close })
		this.#inbound.onceAtMost(0, () => this.#finish({ kind: 'closed', close }))
	}

	/** The path is dropped, not closed with words: whoever altered it learns nothing, and the link may resume. */
	#fault(code: ChannelFaultCode, detail: string): void {
		if (this.#state !== 'open') return
		this.#finish({ kind: 'fault', fault: { code, detail } })
	}

	#finish(end: ChannelEnd): void {
		if (this.#state === 'ended') return
		this.#state = 'ended'
		this.#inbound.pause()
		this.#inbound.drop()
		this.#outbound.drop()
		this.#sealer.wipe()
		this.#opener.wipe()
		if (end.kind === 'fault') this.#socket.terminate()
		this.#reportEnd(end)
	}

	#reportEnd(end: ChannelEnd): void {
		this.#end = this.#handlers === undefined ? end : undefined
		this.#handlers?.onEnd(end)
	}
}
