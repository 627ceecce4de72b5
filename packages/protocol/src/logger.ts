/** Data that goes with a log line. Never keys, tokens or terminal bytes. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** What libraries log to. Messages are constant text, data goes in fields; they never print by themselves. */
export interface Logger {
	debug(message: string, fields?: LogFields): void
	info(message: string, fields?: LogFields): void
	warn(message: string, fields?: LogFields): void
	error(message: string, fields?: LogFields): void
	/** A logger that adds these fields to each line. */
	child(fields: LogFields): Logger
}

/** Keeps silent: the default of every library. */
export const silentLogger: Logger = {
	debug: () => undefined,
	info: () => undefined,
	warn: () => undefined,
	error: () => undefined,
	child: () => silentLogger,
}
