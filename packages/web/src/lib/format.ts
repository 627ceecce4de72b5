/** Numbers and times as people read them. Pure: the present time comes in. */

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

export function formatBytes(bytes: number): string {
	let value = Math.max(0, bytes)
	let unit = 0
	while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
		value /= 1024
		unit++
	}
	const digits = unit === 0 || value >= 100 ? 0 : 1
	return `${value.toFixed(digits)} ${BYTE_UNITS[unit]}`
}

/** The two largest units: `3 d 4 h`, `12 min`, `8 s`. */
export function formatDuration(ms: number): string {
	const total = Math.max(0, ms)
	if (total < MINUTE) return `${Math.floor(total / SECOND)} s`
	if (total < HOUR) return `${Math.floor(total / MINUTE)} min`
	if (total < DAY) return pair(Math.floor(total / HOUR), 'h', Math.floor((total % HOUR) / MINUTE), 'min')
	return pair(Math.floor(total / DAY), 'd', Math.floor((total % DAY) / HOUR), 'h')
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
	return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`
}

export function formatAgo(thenMs: number, nowMs: number): string {
	const age = nowMs - thenMs
	if (age < 45 * SECOND) return 'just now'
	if (age < HOUR) return `${Math.max(1, Math.round(age / MINUTE))} min ago`
	if (age < DAY) return `${Math.floor(age / HOUR)} h ago`
	if (age < 30 * DAY) return `${Math.floor(age / DAY)} d ago`
	return formatDate(thenMs)
}

/** Time left until `thenMs`: `9:41`, `23 h 59 min`; `0:00` when past. */
export function formatCountdown(thenMs: number, nowMs: number): string {
	const left = Math.max(0, thenMs - nowMs)
	if (left >= HOUR) return formatDuration(left)
	const seconds = Math.ceil(left / SECOND)
	return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

export function formatDate(ms: number): string {
	return new Date(ms).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
}

export function formatDateTime(ms: number): string {
	return new Date(ms).toLocaleString('en-GB', {
		day: 'numeric',
		month: 'short',
		year: 'numeric',
		hour: '2-digit',
		minute: '2-digit',
	})
}

export function formatPercent(part: number, whole: number): string {
	return whole <= 0 ? '–' : `${Math.round((part / whole) * 100)}%`
}

export function plural(count: number, one: string, many: string = `${one}s`): string {
	return `${count} ${count === 1 ? one : many}`
}

/** An id in groups of four, as people compare it. */
export function groupId(id: string): string {
	return id.replace(/(.{4})(?=.)/g, '$1 ')
}
