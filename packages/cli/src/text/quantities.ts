/** How long ago, for people: `3 min ago`. */
export function formatAgo(thenMs: number, nowMs: number): string {
	return `${formatDuration(Math.max(0, nowMs - thenMs))} ago`
}

const UNITS: readonly (readonly [string, number])[] = [
	['d', 86_400_000],
	['h', 3_600_000],
	['min', 60_000],
	['s', 1000],
]

/** The largest unit that fits: `2 d`, `5 h`, `3 min`, `12 s`. */
export function formatDuration(ms: number): string {
	const [unit, size] = UNITS.find(([, unitMs]) => ms >= unitMs) ?? ['s', 1000]
	return `${Math.floor(ms / size)} ${unit}`
}
