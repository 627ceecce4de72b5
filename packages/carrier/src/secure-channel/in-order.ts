import type { MaybePromise } from '../crypto/crypto-driver.ts'

interface Slot<T> {
	readonly byteCount: number
	result: { readonly value: T } | undefined
}

interface Waiter {
	readonly byteCount: number
	readonly callback: () => void
}

const COMPACT_SLOTS = 64

/** Delivers results in the order in which they were pushed, however long each takes; at once when nothing waits. */
export class InOrder<T> {
	readonly #deliver: (value: T) => void
	readonly #fail: (error: unknown) => void
	#slots: Slot<T>[] = []
	/** Where the queue begins in `#slots`: shifting a long array moves all of it. */
	#head = 0
	#waiters: Waiter[] = []
	#queuedBytes = 0
	#isPaused: boolean
	#isDelivering = false

	constructor(options: {
		readonly deliver: (value: T) => void
		readonly fail: (error: unknown) => void
		readonly isPaused: boolean
	}) {
		this.#deliver = options.deliver
		this.#fail = options.fail
		this.#isPaused = options.isPaused
	}

	/** What was pushed and isn't delivered yet. */
	get queuedBytes(): number {
		return this.#queuedBytes
	}

	push(result: MaybePromise<T>, byteCount: number): void {
		if (!(result instanceof Promise)) {
			// The hot path: nothing waits, so nothing is queued.
			if (this.#isEmpty && !this.#isPaused && !this.#isDelivering) return this.#deliverDirectly(result)
			this.#enqueue({ byteCount, result: { value: result } })
			return
		}
		const slot: Slot<T> = { byteCount, result: undefined }
		const queue = this.#slots
		this.#enqueue(slot)
		result.then(
			(value) => {
				slot.result = { value }
				this.#deliverReady()
			},
			(error: unknown) => {
				// What was dropped meanwhile may fail unheard.
				if (this.#slots === queue) this.#fail(error)
			},
		)
	}

	pause(): void {
		this.#isPaused = true
	}

	resume(): void {
		this.#isPaused = false
		this.#deliverReady()
	}

	/** Calls back once, as soon as no more than `byteCount` is queued; at once if that is so now. */
	onceAtMost(byteCount: number, callback: () => void): void {
		if (this.#queuedBytes <= byteCount) callback()
		else this.#waiters.push({ byteCount, callback })
	}

	/** Forgets all that waits, and lets go whoever waits for it. */
	drop(): void {
		this.#slots = []
		this.#head = 0
		this.#queuedBytes = 0
		this.#notifyWaiters()
	}

	get #isEmpty(): boolean {
		return this.#head === this.#slots.length
	}

	/** Leaves the first slot behind, and lets the array go of those left behind once they are the larger part. */
	#advance(): void {
		this.#head++
		if (this.#head < COMPACT_SLOTS || this.#head * 2 < this.#slots.length) return
		this.#slots.splice(0, this.#head)
		this.#head = 0
	}

	#enqueue(slot: Slot<T>): void {
		this.#slots.push(slot)
		this.#queuedBytes += slot.byteCount
	}

	#deliverDirectly(value: T): void {
		this.#isDelivering = true
		try {
			this.#deliver(value)
		} finally {
			this.#isDelivering = false
		}
		// The reader may have been handed more meanwhile.
		if (!this.#isEmpty) this.#deliverReady()
	}

	#deliverReady(): void {
		if (this.#isDelivering) return
		this.#isDelivering = true
		try {
			while (!this.#isPaused) {
				const slot = this.#slots[this.#head]
				if (slot?.result === undefined) break
				this.#advance()
				this.#queuedBytes -= slot.byteCount
				this.#deliver(slot.result.value)
			}
		} finally {
			this.#isDelivering = false
		}
		this.#notifyWaiters()
	}

	#notifyWaiters(): void {
		if (this.#waiters.length === 0) return
		const due = this.#waiters.filter((waiter) => this.#queuedBytes <= waiter.byteCount)
		this.#waiters = this.#waiters.filter((waiter) => !due.includes(waiter))
		for (const waiter of due) waiter.callback()
	}
}
