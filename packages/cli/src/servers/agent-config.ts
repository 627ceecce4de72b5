import { AGENT_SETTINGS, type AgentConfig, parseAgentConfig } from '@sallyport/agent'
import { readSettingsFile, type ServerFlags } from '../commands/relay.ts'
import type { Context } from '../context.ts'
import { settingsError } from './run-until-signal.ts'

/** The agent's settings from flags, environment and file. */
export async function readAgentConfig(context: Context, flags: ServerFlags): Promise<AgentConfig> {
	const file = flags.config === undefined ? undefined : await readSettingsFile(flags.config)
	const named: Record<string, string | undefined> = {}
	for (const [flag, value] of Object.entries(flags.settings)) {
		const name = flag.toUpperCase().replaceAll('-', '_')
		if (AGENT_SETTINGS.some((setting) => setting === name)) named[name] = value
	}
	const parsed = parseAgentConfig({ flags: named, env: context.env, ...(file === undefined ? {} : { file }) })
	if (parsed.ok) return parsed.config
	throw settingsError(parsed.problems)
}
