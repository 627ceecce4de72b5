import { readFile } from 'node:fs/promises'
import { createRelay, describeRelayConfig, parseRelayConfig, type RelayConfig } from '@sallyport/relay'
import { VERSION } from '../build-id.ts'
import type { Context } from '../context.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import { findPageDirectory } from '../servers/page-directory.ts'
import { runUntilSignal, settingsError } from '../servers/run-until-signal.ts'
import { stderrLog } from '../servers/stderr-log.ts'

export interface ServerFlags {
	readonly config?: string
	readonly printConfig?: boolean
	readonly settings: Readonly<Record<string, string | undefined>>
}

/** `sally relay` */
export async function relay(context: Context, flags: ServerFlags): Promise<number> {
	const config = await readRelayConfig(context, flags)
	if (flags.printConfig === true) {
		for (const line of describeRelayConfig(config)) context.print(line)
		return EXIT.ok
	}
	const pageDirectory = findPageDirectory()
	const log = stderrLog(config.logLevel)
	const running = await createRelay({ version: VERSION, log, ...(pageDirectory === undefined ? {} : { pageDirectory }) }, config)
	const fragment = running.setup === undefined ? '' : `/#setup=${running.setup.setupSecret}`
	context.print(`Sallyport relay is ready: ${running.url}${fragment}`)
	return runUntilSignal(() => running.close())
}

export async function readRelayConfig(context: Context, flags: ServerFlags): Promise<RelayConfig> {
	const file = flags.config === undefined ? undefined : await readSettingsFile(flags.config)
	const config = parseRelayConfig({ flags: flags.settings, env: context.env, ...(file === undefined ? {} : { file }) })
	if (config.ok) return config.value
	throw settingsError(config.problems)
}

export async function readSettingsFile(path: string): Promise<unknown> {
	try {
		return JSON.parse(await readFile(path, 'utf8'))
	} catch (cause) {
		const why = cause instanceof SyntaxError ? 'does not hold JSON' : 'can’t be read'
		throw new CliError(EXIT.usage, `the settings file ${path} ${why}`, { cause })
	}
}
