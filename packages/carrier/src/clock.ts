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
		const timer = setTimeout(callback, delayMs)
		if (holdsProcess(timer)) timer.unref()
		return () => clearTimeout(timer)
	},
}

/** Node's timers keep the process alive unless told otherwise; browsers' are numbers. */
function holdsProcess(timer: unknown): timer is { unref(): unknown } {
	return typeof timer === 'object' && timer !== null && 'unref' in timer
}
