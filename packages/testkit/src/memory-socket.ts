import type { MessageSocket, MessageSocketHandlers, SocketClose } from '@sallyport/transport'

const CLOSE_ANSWER_MS = 2000
const LOST: SocketClose = { code: 1006, reason: '' }

/** What a message is on its way. */
export type WireMessage =
	| { readonly kind: 'text'; readonly text: string }
	| { readonly kind: 'binary'; readonly bytes: Uint8Array }
	| { readonly kind: 'close'; readonly close: SocketClose }

/** Plays the network: what comes out instead of a message that went in. None: it was lost. */
export type Tamper = (message: WireMessage) => readonly WireMessage[]

/** Timers of the pair; a `FakeClock` or the carrier's clock fits. */
export interface SocketTimers {
	setTimer(delayMs: number, callback: () => void): () => void
}

/** One direction of the pair, as the test controls it. */
export interface MemoryWire {
	/** Each message takes that long; order is kept. */
	delayMs: number
	/** Messages wait in the sender's buffer while true. */
	isHeld: boolean
	tamper: Tamper | undefined
	/** Delivers what waits now, whatever `isHeld` says: `count` messages, or all. */
	flush(count?: number): void
	/** Messages that wait. */
	readonly waiting: number
}

export interface MemorySocketPair {
	readonly left: MessageSocket
	readonly right: MessageSocket
	readonly leftToRight: MemoryWire
	readonly rightToLeft: MemoryWire
	/** The network goes: both sides see 1006, and what was under way is lost. */
	cut(): void
}

/** Two sockets joined in memory. Deliveries are calls of timers, never made from within `send…`. */
export function createMemorySocketPair(timers: SocketTimers = immediateTimers): MemorySocketPair {
	const left = new MemorySocket(timers)
	const right = new MemorySocket(timers)
	left.peer = right
	right.peer = left
	return {
		left,
		right,
		leftToRight: left.wire,
		rightToLeft: right.wire,
		cut: () => {
			left.lose()
			right.lose()
		},
	}
}

const immediateTimers: SocketTimers = {
	setTimer: (delayMs, callback) => {
		const timer = setTimeout(callback, delayMs)
		return () => clearTimeout(timer)
	},
}

class MemorySocket implements MessageSocket {
	peer: MemorySocket | undefined
	readonly wire: MemoryWire
	readonly #timers: SocketTimers
	/** What this side sent and the other hasn't taken. */
	#sent: WireMessage[] = []
	#bufferedBytes = 0
	#drains: { readonly bytes: number; readonly callback: () => void }[] = []
	#handlers: MessageSocketHandlers | undefined
	#state: 'open' | 'closing' | 'closed' = 'open'
	#isPaused = false
	/** Messages at the head of `#sent` whose delay is over. */
	#arrived = 0
	#end: SocketClose | undefined

	constructor(timers: SocketTimers) {
		this.#timers = timers
		const waiting = () => this.#sent.length
		const pump = () => this.pump()
		let isHeld = false
		this.wire = {
			delayMs: 0,
			tamper: undefined,
			get isHeld() {
				return isHeld
			},
			set isHeld(hold) {
				isHeld = hold
				if (!hold) pump()
			},
			flush: (count = this.#sent.length) => {
				for (let index = 0; index < count && this.#sent.length > 0; index++) this.#deliver()
			},
			get waiting() {
				return waiting()
			},
		}
	}

	get bufferedBytes(): number {
		return this.#bufferedBytes
	}

	get isOpen(): boolean {
		return this.#state === 'open'
	}

	setHandlers(handlers: MessageSocketHandlers): void {
		this.#handlers = handlers
		this.peer?.pump()
		if (this.#end !== undefined) this.#tellEnd(this.#end)
	}

	sendText(text: string): void {
		this.#send({ kind: 'text', text })
	}

	sendBinary(bytes: Uint8Array): void {
		this.#send({ kind: 'binary', bytes })
	}

	onceDrained(bytes: number, callback: () => void): void {
		this.#drains.push({ bytes, callback })
		this.#timers.setTimer(0, () => this.#checkDrains())
	}

	pause(): void {
		this.#isPaused = true
	}

	resume(): void {
		this.#isPaused = false
		this.peer?.pump()
	}

	close(code: number, reason: string): void {
		if (this.#state !== 'open') return
		this.#send({ kind: 'close', close: { code, reason } })
		this.#state = 'closing'
		this.#timers.setTimer(CLOSE_ANSWER_MS, () => this.lose())
	}

	terminate(): void {
		if (this.#state === 'closed') return
		this.lose()
		this.#timers.setTimer(0, () => this.peer?.lose())
	}

	/** The connection is gone, as this side sees it. */
	lose(): void {
		this.#finish(LOST)
	}

	pump(): void {
		this.#timers.setTimer(0, () => this.#pump())
	}

	#send(message: WireMessage): void {
		if (this.#state !== 'open') return
		this.#sent.push(message)
		this.#bufferedBytes += sizeOf(message)
		this.#timers.setTimer(this.wire.delayMs, () => {
			this.#arrived = Math.min(this.#arrived + 1, this.#sent.length)
			this.#pump()
		})
	}

	/** Delivers what has arrived, as long as the other side takes it. */
	#pump(): void {
		while (this.#arrived > 0 && !this.wire.isHeld && this.peer?.canTake() === true) this.#deliver()
	}

	canTake(): boolean {
		return this.#handlers !== undefined && !this.#isPaused
	}

	#deliver(): void {
		const message = this.#sent.shift()
		if (message === undefined) return
		this.#arrived = Math.max(0, this.#arrived - 1)
		this.#bufferedBytes -= sizeOf(message)
		for (const arrived of this.wire.tamper?.(message) ?? [message]) this.peer?.take(arrived)
		this.#checkDrains()
	}

	take(message: WireMessage): void {
		if (this.#state === 'closed') return
		if (message.kind === 'close') {
			this.#finish(message.close)
			this.peer?.closeAnswered(message.close)
		} else if (message.kind === 'text') this.#handlers?.onText(message.text)
		else this.#handlers?.onBinary(message.bytes)
	}

	closeAnswered(close: SocketClose): void {
		this.#finish(close)
	}

	#finish(close: SocketClose): void {
		if (this.#state === 'closed') return
		this.#state = 'closed'
		this.#sent = []
		this.#bufferedBytes = 0
		this.#checkDrains()
		this.#timers.setTimer(0, () => this.#tellEnd(close))
	}

	/** Kept until there is somebody to tell. */
	#tellEnd(close: SocketClose): void {
		this.#end = close
		const handlers = this.#handlers
		if (handlers === undefined) return
		this.#end = undefined
		handlers.onClose(close)
	}

	#checkDrains(): void {
		const isDue = (drain: { readonly bytes: number }) => this.#state === 'closed' || this.#bufferedBytes <= drain.bytes
		const due = this.#drains.filter(isDue)
		this.#drains = this.#drains.filter((drain) => !isDue(drain))
		for (const drain of due) drain.callback()
	}
}

function sizeOf(message: WireMessage): number {
	switch (message.kind) {
		case 'text':
			return message.text.length
		case 'binary':
			return message.bytes.length
		case 'close':
			return 2
	}
}
