/** Processor time of programs, which says what work costs also while others keep the machine busy. Linux only. */
import { readdirSync, readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100

/** Seconds that a process has computed; of its ended children instead, if asked so. */
export function cpuSeconds(pid: number, who: 'self' | 'children' = 'self'): number {
	const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
	// What follows the name, which may hold anything, brackets included; utime is field 14.
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
	const first = who === 'self' ? 11 : 13
	return (Number(fields[first]) + Number(fields[first + 1])) / TICKS_PER_SECOND
}

/** The process whose title begins so and whose environment holds this text. */
export function findProcess(title: string, environment: string): number | undefined {
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.map(Number)
		.find((pid) => readText(`/proc/${pid}/cmdline`).startsWith(title) && readText(`/proc/${pid}/environ`).includes(environment))
}

function readText(path: string): string {
	try {
		return readFileSync(path, 'utf8')
	} catch {
		// It has ended meanwhile, or is another user's.
		return ''
	}
}
