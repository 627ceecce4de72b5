import type { LogFields, Logger } from '@sallyport/protocol'
import type { DestinationStream, Logger as Pino } from 'pino'
import { pino } from 'pino'
import type { RelayConfig } from './config.ts'

/**
 * A logger that writes JSON lines, by default to stderr: stdout is for what was asked for. Values that go by the name of
 * a secret are struck out, should one ever get this far.
 */
export function createLogger(level: RelayConfig['logLevel'], destination: DestinationStream = pino.destination(2)): Logger {
	const redact = { paths: ['token', 'secret', 'password', 'cookie', 'authorization'], censor: '[hidden]' }
	return wrap(pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact }, destination))
}

function wrap(log: Pino): Logger {
	return {
		debug: (message, fields: LogFields = {}) => log.debug(fields, message),
		info: (message, fields: LogFields = {}) => log.info(fields, message),
		warn: (message, fields: LogFields = {}) => log.warn(fields, message),
		error: (message, fields: LogFields = {}) => log.error(fields, message),
		child: (fields) => wrap(log.child(fields)),
	}
}
