/** Figures and what is made of them. */
export interface Row {
	/** What was measured, in words. */
	readonly what: string
	readonly unit: 'ms' | 's' | 'MB/s' | 'KiB'
	readonly ours: number
	/** The same through a direct OpenSSH session (or what `yardstickName` says), in this run. */
	readonly yardstick?: number
	readonly yardstickName?: string
	/** What issue 2 asks for. */
	readonly reach?: number
}

export function median(values: readonly number[]): number {
	return percentile(values, 0.5)
}

/** The nearest rank. */
export function percentile(values: readonly number[], share: number): number {
	const sorted = [...values].sort((left, right) => left - right)
	const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]
	if (value === undefined) throw new Error('there is no figure to sum up')
	return value
}

export interface Spread {
	readonly p50: number
	readonly p99: number
}

/** The median over rounds of each round's percentiles: one bad moment of the machine doesn't decide. */
export function spreadOf(rounds: readonly (readonly number[])[]): Spread {
	return {
		p50: median(rounds.map((round) => percentile(round, 0.5))),
		p99: median(rounds.map((round) => percentile(round, 0.99))),
	}
}

export function spreadRows(what: string, ours: Spread, yardstick: Spread, reach: Partial<Spread> = {}): readonly Row[] {
	return (['p50', 'p99'] as const).map((name) => ({
		what: `${what}, ${name}`,
		unit: 'ms' as const,
		ours: ours[name],
		yardstick: yardstick[name],
		...(reach[name] === undefined ? {} : { reach: reach[name] }),
	}))
}

export function formatRows(rows: readonly Row[]): string {
	const cells = rows.map((row) => [
		row.what,
		`${round(row.ours)} ${row.unit}`,
		row.yardstick === undefined ? '' : `${round(row.yardstick)} ${row.unit}`,
		row.yardstick === undefined ? '' : (row.yardstickName ?? 'direct ssh'),
		row.yardstick === undefined ? '' : `${(row.ours / row.yardstick).toFixed(2)} x`,
		row.reach === undefined ? '' : `${row.reach} ${row.unit}`,
		row.reach === undefined ? '' : isReached(row) ? 'reached' : 'missed',
	])
	const table = [['what', 'here', 'beside it', '', 'ratio', 'reach', ''], ...cells]
	const widths = table[0]?.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0))) ?? []
	return table
		.map((line) =>
			line
				.map((cell, column) => cell.padEnd(widths[column] ?? 0))
				.join('  ')
				.trimEnd(),
		)
		.join('\n')
}

function isReached(row: Row): boolean {
	if (row.reach === undefined) return true
	return row.unit === 'MB/s' ? row.ours >= row.reach : row.ours <= row.reach
}

function round(value: number): string {
	return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
