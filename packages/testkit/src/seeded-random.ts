/** Repeatable randomness for tests: never for keys. */
export interface SeededRandom {
	readonly seed: number
	/** 0 or more, below 1. */
	next(): number
	/** A whole number from `min` to `max`, both included. */
	int(min: number, max: number): number
	bytes(length: number): Uint8Array
	/** True in that share of cases. */
	chance(share: number): boolean
	pick<T>(items: readonly [T, ...T[]]): T
}

/** The seed of `SEED` in the environment, else a new one: every run tries something else, and any can be repeated. */
export function testSeed(): number {
	const given = process.env['SEED']
	return given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given) >>> 0
}

export function createSeededRandom(seed: number): SeededRandom {
	let state = seed >>> 0
	const next = () => {
		// mulberry32: 32 bits of state, enough for tests and the same everywhere.
		state = (state + 0x6d2b79f5) >>> 0
		let mixed = Math.imul(state ^ (state >>> 15), state | 1)
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
	}
	const int = (min: number, max: number) => min + Math.floor(next() * (max - min + 1))
	return {
		seed,
		next,
		int,
		bytes: (length) => Uint8Array.from({ length }, () => int(0, 255)),
		chance: (share) => next() < share,
		pick: (items) => items[int(0, items.length - 1)] ?? items[0],
	}
}

/** Runs a test body with a fresh seed; if it fails, the error says which seed repeats it. */
export async function withSeed(body: (random: SeededRandom) => void | Promise<void>, seed: number = testSeed()): Promise<void> {
	try {
		await body(createSeededRandom(seed))
	} catch (cause) {
		throw new Error(`failed with seed ${seed} (repeat with SEED=${seed}): ${String(cause)}`, { cause })
	}
}
