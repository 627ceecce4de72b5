interface Timer {
	readonly atMs: number
	readonly order: number
	readonly callback: () => void
}

/**
 * Time that moves only when a test says so. It has the shape of the carrier's `Clock`: wall time and monotonic time run
 * together, from different origins.
 */
export class FakeClock {
	readonly #timers = new Set<Timer>()
	readonly #startMs: number
	#elapsedMs = 0
	#order = 0

	/** @param startMs wall time at the start. @default 2026-01-01 */
	constructor(startMs: number = Date.UTC(2026, 0, 1)) {
		this.#startMs = startMs
	}

	get timerCount(): number {
		return this.#timers.size
	}

	nowMs(): number {
		return this.#startMs + this.#elapsedMs
	}

	monotonicMs(): number {
		return this.#elapsedMs
	}

	setTimer(delayMs: number, callback: () => void): () => void {
		const timer = { atMs: this.#elapsedMs + Math.max(0, delayMs), order: this.#order++, callback }
		this.#timers.add(timer)
		return () => void this.#timers.delete(timer)
	}

	/** Moves time on and runs, in order, every timer that falls due, those that are set meanwhile included. */
	advance(byMs: number): void {
		const untilMs = this.#elapsedMs + byMs
		for (let timer = this.#next(untilMs); timer !== undefined; timer = this.#next(untilMs)) this.#run(timer)
		this.#elapsedMs = untilMs
	}

	/** As `advance`, and lets promises settle before each timer and at the end. */
	async advanceAsync(byMs: number): Promise<void> {
		const untilMs = this.#elapsedMs + byMs
		await settle()
		for (let timer = this.#next(untilMs); timer !== undefined; timer = this.#next(untilMs)) {
			this.#run(timer)
			await settle()
		}
		this.#elapsedMs = untilMs
	}

	#run(timer: Timer): void {
		this.#timers.delete(timer)
		this.#elapsedMs = Math.max(this.#elapsedMs, timer.atMs)
		timer.callback()
	}

	#next(untilMs: number): Timer | undefined {
		let next: Timer | undefined
		for (const timer of this.#timers) {
			if (timer.atMs > untilMs) continue
			if (next === undefined || timer.atMs < next.atMs || (timer.atMs === next.atMs && timer.order < next.order)) next = timer
		}
		return next
	}
}

/** Returns once the promise callbacks that are ready now, and those that they make ready, have run. */
function settle(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve))
}
