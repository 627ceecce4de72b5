import type { LogFields, Logger } from '@sallyport/protocol'
import { showText } from '../text/plain.ts'

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug', 'trace'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface LogSink {
	readonly level: LogLevel
	/** JSON lines for collectors, plain lines for people. */
	readonly isJson: boolean
	readonly write: (line: string) => void
	readonly nowMs: () => number
}

/** A log on stderr: programs under systemd or a container leave the rest to the collector. */
export function createLog(sink: LogSink, base: LogFields = {}): Logger {
	const log = (level: LogLevel, message: string, fields: LogFields = {}): void => {
		if (LOG_LEVELS.indexOf(level) > LOG_LEVELS.indexOf(sink.level)) return
		const all = { ...base, ...fields }
		const time = new Date(sink.nowMs()).toISOString()
		sink.write(sink.isJson ? JSON.stringify({ time, level, message, ...all }) : plainLine(time, level, message, all))
	}
	return {
		debug: (message, fields) => log('debug', message, fields),
		info: (message, fields) => log('info', message, fields),
		warn: (message, fields) => log('warn', message, fields),
		error: (message, fields) => log('error', message, fields),
		child: (fields) => createLog(sink, { ...base, ...fields }),
	}
}

/** The log of a server command: plain on a terminal, JSON elsewhere. */
export function stderrLog(level: LogLevel): Logger {
	return createLog({
		level,
		isJson: !process.stderr.isTTY,
		write: (line) => void process.stderr.write(`${line}\n`),
		nowMs: () => Date.now(),
	})
}

function plainLine(time: string, level: LogLevel, message: string, fields: LogFields): string {
	const data = Object.entries(fields)
		.filter(([, value]) => value !== undefined)
		.map(([name, value]) => ` ${name}=${typeof value === 'string' ? showText(JSON.stringify(value)) : String(value)}`)
	return `${time.slice(11, 19)} ${level.padEnd(5)} ${message}${data.join('')}`
}
