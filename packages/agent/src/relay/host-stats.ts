import { readFile, statfs } from 'node:fs/promises'
import { cpus, freemem, loadavg, totalmem, uptime } from 'node:os'
import type { NodeStats } from '@sallyport/protocol'

/** Figures of this host as they are now. */
export async function hostStats(diskPath = '/'): Promise<NodeStats> {
	const [load1 = 0, load5 = 0, load15 = 0] = loadavg()
	const [available, disk, processes] = await Promise.all([availableMemory(), diskUse(diskPath), processCount()])
	const total = totalmem()
	return {
		cpus: cpus().length,
		load1: rounded(load1),
		load5: rounded(load5),
		load15: rounded(load15),
		memory_total: total,
		memory_used: Math.max(0, total - available),
		disk_total: disk.total,
		disk_used: disk.used,
		uptime_s: Math.floor(uptime()),
		...(processes === undefined ? {} : { processes }),
	}
}

/** What programs could still get: caches that the kernel would give up are counted, unlike in `freemem`. */
export function parseMemAvailable(meminfo: string): number | undefined {
	const match = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)
	return match === null ? undefined : Number(match[1]) * 1024
}

async function availableMemory(): Promise<number> {
	// Not Linux, or /proc is closed to us.
	const meminfo = await readFile('/proc/meminfo', 'utf8').catch(() => '')
	return parseMemAvailable(meminfo) ?? freemem()
}

async function diskUse(path: string): Promise<{ readonly total: number; readonly used: number }> {
	const stats = await statfs(path)
	// As df counts: what root keeps back is neither used nor to be had.
	return { total: stats.blocks * stats.bsize, used: (stats.blocks - stats.bfree) * stats.bsize }
}

async function processCount(): Promise<number | undefined> {
	const text = await readFile('/proc/loadavg', 'utf8').catch(() => '')
	const match = /^\S+ \S+ \S+ \d+\/(\d+) /.exec(text)
	return match === null ? undefined : Number(match[1])
}

function rounded(value: number): number {
	return Math.round(value * 100) / 100
}
