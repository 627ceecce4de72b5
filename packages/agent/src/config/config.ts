import { homedir, hostname } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { parseRelayOrigin } from '../relay/origin.ts'
import { parseListed } from './listed.ts'

/** All settings of the agent. Times in milliseconds. `docs/agent.md` has them as a table. */
export interface AgentConfig {
	/** Own listener. @default 127.0.0.1 */
	readonly host: string
	/** @default 8081; 0 takes a free one */
	readonly port: number
	/** When the port is taken: another one instead of an end. @default false; `sally up` says true */
	readonly isPortFlexible: boolean
	/** Host names, besides this machine's addresses, under which the own listener may be called. */
	readonly allowedHosts: readonly string[]
	/** Origins of pages, besides the relay's, that may connect to the own listener. */
	readonly allowedOrigins: readonly string[]
	/** Where to enrol with `PAT_TOKEN`; otherwise it comes from the join. */
	readonly relayUrl: string | undefined
	/** Takes a relay at plain http that is not on this machine. @default false */
	readonly allowPlainHttp: boolean
	/** PEM file of certificate authorities to trust for the relay instead of the system's. */
	readonly relayCaFile: string | undefined
	readonly sshHost: string
	readonly sshPort: number
	readonly sshAuthMethod: 'credentials_prompt' | 'none'
	/** Enrols without a prompt at the first start. */
	readonly patToken: string | undefined
	readonly statsIntervalMs: number
	readonly pingIntervalMs: number
	readonly dataDir: string
	/** @default `policy.json` in the data folder; there may be none */
	readonly policyFile: string
	readonly passphraseFile: string | undefined
	readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
	/** Name to enrol under. @default the host's */
	readonly name: string
	readonly terminalDetachedMs: number
}

export interface ConfigSources {
	/** By the setting's environment name, as the command line gave them. */
	readonly flags?: Readonly<Record<string, string | undefined>>
	readonly env?: Readonly<Record<string, string | undefined>>
	/** A settings file's content, parsed from JSON; keys are the environment names in lower case. */
	readonly file?: unknown
}

export type ConfigResult =
	| { readonly ok: true; readonly config: AgentConfig }
	| { readonly ok: false; readonly problems: readonly string[] }

/** Every setting by its environment name. */
export const AGENT_SETTINGS = [
	'HOST',
	'PORT',
	'ALLOWED_HOSTS',
	'ALLOWED_ORIGINS',
	'RELAY_URL',
	'SERVER_HOST',
	'SERVER_PORT',
	'RELAY_PLAIN_HTTP',
	'RELAY_CA',
	'SSH_HOST',
	'SSH_PORT',
	'SSH_AUTH_METHOD',
	'PAT_TOKEN',
	'STATS_REFRESH_INTERVAL',
	'PING_INTERVAL',
	'DATA_DIR',
	'POLICY_FILE',
	'PASSPHRASE_FILE',
	'LOG_LEVEL',
	'NODE_NAME',
	'TERMINAL_DETACHED_TIME',
] as const
export type AgentSetting = (typeof AGENT_SETTINGS)[number]

/**
 * Reads the settings: flags, then environment, then file, then default. Reports every problem at once. Unknown keys of
 * flags and file are problems; the environment is shared with others, so its unknown names are not.
 */
export function parseAgentConfig(sources: ConfigSources): ConfigResult {
	const problems: string[] = []
	const file = fileValues(sources.file, problems)
	for (const name of Object.keys(sources.flags ?? {}))
		if (!isSetting(name)) problems.push(`${name} is not a setting of the agent`)
	const text = (name: AgentSetting): string | undefined => {
		const value = sources.flags?.[name] ?? sources.env?.[name] ?? file.get(name)
		return value === undefined || value.trim() === '' ? undefined : value.trim()
	}
	const read = createReader(text, problems)
	const env = sources.env ?? {}
	const dataDir = read.path('DATA_DIR') ?? join(env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'sallyport', 'agent')
	const allowPlainHttp = read.flag('RELAY_PLAIN_HTTP', false)
	const config: AgentConfig = {
		host: text('HOST') ?? '127.0.0.1',
		port: read.port('PORT', 8081, { from: 0 }),
		isPortFlexible: false,
		allowedHosts: parseListed(text('ALLOWED_HOSTS')),
		allowedOrigins: read.origins('ALLOWED_ORIGINS'),
		relayUrl: relayUrl(read, text, allowPlainHttp, problems),
		allowPlainHttp,
		relayCaFile: read.path('RELAY_CA'),
		sshHost: text('SSH_HOST') ?? '127.0.0.1',
		sshPort: read.port('SSH_PORT', 22, { from: 1 }),
		sshAuthMethod: read.choice('SSH_AUTH_METHOD', ['credentials_prompt', 'none'], 'credentials_prompt'),
		patToken: text('PAT_TOKEN'),
		statsIntervalMs: read.duration('STATS_REFRESH_INTERVAL', 15_000, { from: 1_000, to: 3_600_000 }),
		pingIntervalMs: read.duration('PING_INTERVAL', 20_000, { from: 1_000, to: 50_000 }),
		dataDir,
		policyFile: read.path('POLICY_FILE') ?? join(dataDir, 'policy.json'),
		passphraseFile: read.path('PASSPHRASE_FILE'),
		logLevel: read.choice('LOG_LEVEL', ['debug', 'info', 'warn', 'error'], 'info'),
		name: (text('NODE_NAME') ?? hostname()).slice(0, 128) || 'machine',
		terminalDetachedMs: read.duration('TERMINAL_DETACHED_TIME', 86_400_000, { from: 1_000, to: 30 * 86_400_000 }),
	}
	return problems.length === 0 ? { ok: true, config } : { ok: false, problems }
}

function isSetting(name: string): boolean {
	return AGENT_SETTINGS.some((setting) => setting === name)
}

function fileValues(file: unknown, problems: string[]): ReadonlyMap<string, string> {
	const values = new Map<string, string>()
	if (file === undefined) return values
	if (typeof file !== 'object' || file === null || Array.isArray(file)) {
		problems.push('the settings file does not hold a JSON object')
		return values
	}
	for (const [key, value] of Object.entries(file)) {
		const name = key.toUpperCase()
		if (!isSetting(name)) problems.push(`${name} in the settings file is not a setting of the agent`)
		else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') values.set(name, String(value))
		else problems.push(`${name} in the settings file is neither text nor a number`)
	}
	return values
}

function relayUrl(
	read: Reader,
	text: (name: AgentSetting) => string | undefined,
	allowPlainHttp: boolean,
	problems: string[],
): string | undefined {
	const host = text('SERVER_HOST')
	const url =
		text('RELAY_URL') ?? (host === undefined ? undefined : `http://${host}:${read.port('SERVER_PORT', 8080, { from: 1 })}`)
	if (url === undefined) return undefined
	const parsed = parseRelayOrigin(url, { allowPlainHttp })
	if ('origin' in parsed) return parsed.origin
	problems.push(`${text('RELAY_URL') === undefined ? 'SERVER_HOST' : 'RELAY_URL'}: ${parsed.problem}`)
	return undefined
}

type Reader = ReturnType<typeof createReader>

function createReader(text: (name: AgentSetting) => string | undefined, problems: string[]) {
	return {
		port(name: AgentSetting, fallback: number, range: { readonly from: 0 | 1 }): number {
			const value = text(name)
			if (value === undefined) return fallback
			const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN
			if (port >= range.from && port <= 65_535) return port
			problems.push(`${name}: ${JSON.stringify(value)} is not a port from ${range.from} to 65535`)
			return fallback
		},
		flag(name: AgentSetting, fallback: boolean): boolean {
			const value = text(name)?.toLowerCase()
			if (value === undefined) return fallback
			if (['true', '1', 'yes', 'on'].includes(value)) return true
			if (['false', '0', 'no', 'off'].includes(value)) return false
			problems.push(`${name}: ${JSON.stringify(value)} is neither true nor false`)
			return fallback
		},
		choice<const T extends string>(name: AgentSetting, choices: readonly T[], fallback: T): T {
			const value = text(name)
			if (value === undefined) return fallback
			const found = choices.find((choice) => choice === value)
			if (found === undefined) problems.push(`${name}: ${JSON.stringify(value)} is none of ${choices.join(', ')}`)
			return found ?? fallback
		},
		/** `15`, `15s`, `500ms`, `2m`, `24h`; a bare number is seconds. */
		duration(name: AgentSetting, fallbackMs: number, range: { readonly from: number; readonly to: number }): number {
			const value = text(name)
			if (value === undefined) return fallbackMs
			const match = /^(\d{1,9})\s*(ms|s|m|h|d)?$/.exec(value)
			const ms = Number(match?.[1]) * (UNITS[match?.[2] ?? 's'] ?? Number.NaN)
			if (match !== null && ms >= range.from && ms <= range.to) return ms
			problems.push(`${name}: ${JSON.stringify(value)} is not a time from ${range.from / 1000} to ${range.to / 1000} seconds`)
			return fallbackMs
		},
		path(name: AgentSetting): string | undefined {
			const value = text(name)
			if (value === undefined) return undefined
			const expanded = value.startsWith('~/') ? join(homedir(), value.slice(2)) : value
			return isAbsolute(expanded) ? expanded : resolve(expanded)
		},
		origins(name: AgentSetting): readonly string[] {
			return parseListed(text(name)).flatMap((value) => {
				if (URL.canParse(value) && new URL(value).origin === value) return [value]
				problems.push(`${name}: ${JSON.stringify(value)} is not an origin like https://relay.example`)
				return []
			})
		},
	}
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
