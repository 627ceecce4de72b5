import { CliError, EXIT } from '../exit-codes.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** A server that does not end in this time is ended: by then every peer was told. */
const CLOSE_MS = 8000

/** Waits for a signal or for the server's own end, then closes it; the same signal again ends at once. */
export async function runUntilSignal(close: () => Promise<void>, ended?: Promise<void>): Promise<number> {
	const signalled = new Promise<void>((resolve) => {
		for (const signal of SIGNALS) {
			process.once(signal, () => {
				process.once(signal, () => process.exit(EXIT.failed))
				resolve()
			})
		}
	})
	await (ended === undefined ? signalled : Promise.race([signalled, ended]))
	const timer = setTimeout(() => process.exit(EXIT.failed), CLOSE_MS)
	await close()
	clearTimeout(timer)
	return EXIT.ok
}

/** All that is wrong with the settings, at once. */
export function settingsError(problems: readonly string[]): CliError {
	const [only, ...more] = problems
	if (only !== undefined && more.length === 0) return new CliError(EXIT.usage, `setting ${only}`)
	return new CliError(EXIT.usage, `these settings are wrong:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
}
