/** Time as the carrier takes it, so that tests can hold it still. */
export interface Clock {
	/** Wall time, ms since 1970: for certificates and expiry. */
	nowMs(): number
	/** Never goes back: for round trips and timers. Any origin. */
	monotonicMs(): number
	/** Calls back once after `delayMs`. Returns the cancel. A timer never keeps the process alive by itself. */
	setTimer(delayMs: number, callback: () => void): () => void
}

export const systemClock: Clock = {
	nowMs: () => Date.now(),
	monotonicMs: () => performance.now(),
	setTimer: (delayMs, callback) => {
		const timer: unknown = setTimeout(callback, delayMs)
		// Node's timers hold the process open unless told otherwise; browsers' are numbers.
		if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function') timer.unref()
		return () => clearTimeout(timer as ReturnType<typeof setTimeout>)
	},
}
