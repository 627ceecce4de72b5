const FIRST_MS = 250
const MAX_MS = 15_000

/** How long to wait before the n-th try to come back; `random` in [0, 1) spreads many pages over time. */
export function reattachDelayMs(attempt: number, random: number): number {
	if (attempt <= 1) return 0
	const ceiling = Math.min(MAX_MS, FIRST_MS * 2 ** (attempt - 1))
	return Math.round(ceiling * (0.5 + random / 2))
}
