import type { Clock } from '@sallyport/carrier'

export interface BackoffOptions {
	readonly firstMs: number
	readonly maxMs: number
	/** Uniform in [0, 1). */
	readonly random: () => number
}

/** Doubling waits with jitter: between half of the step and the whole of it. */
export class Backoff {
	readonly #options: BackoffOptions
	#stepMs: number

	constructor(options: BackoffOptions) {
		this.#options = options
		this.#stepMs = options.firstMs
	}

	/** The next wait, ms. */
	next(): number {
		const stepMs = this.#stepMs
		this.#stepMs = Math.min(stepMs * 2, this.#options.maxMs)
		return stepMs / 2 + (this.#options.random() * stepMs) / 2
	}

	reset(): void {
		this.#stepMs = this.#options.firstMs
	}
}

/** Waits, or ends early with the signal; never rejects. `keepAlive` is the caller's: timers don't hold a process open. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
	if (signal.aborted) return Promise.resolve()
	return new Promise((resolve) => {
		const finish = (): void => {
			cancel()
			signal.removeEventListener('abort', finish)
			resolve()
		}
		const cancel = clock.setTimer(delayMs, finish)
		signal.addEventListener('abort', finish, { once: true })
	})
}
