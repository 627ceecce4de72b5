import { CliError, EXIT } from '../exit-codes.ts'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
/** A server that does not end in this time is ended: by then every peer was told. */
const CLOSE_MS = 8000

/** Waits for a signal or for the server's own end, then closes it; the same signal again ends at once. */
export async function runUntilSignal(
	close: () => Promise<void>,
	{ ended, onReload }: { readonly ended?: Promise<void>; readonly onReload?: () => void } = {},
): Promise<number> {
	// A service manager's SIGHUP says "read your settings again", a closing terminal's says "end".
	const isService = onReload !== undefined && !process.stdin.isTTY
	if (isService) process.on('SIGHUP', onReload)
	const signalled = new Promise<void>((resolve) => {
		if (!isService) process.once('SIGHUP', () => resolve())
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
