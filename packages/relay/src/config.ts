import { homedir } from 'node:os'
import { join } from 'node:path'
import { LIMITS } from '@sallyport/protocol'
import * as v from 'valibot'
import type { RelaySettingName, RelaySettings } from './config-settings.ts'
import { RELAY_SETTINGS, SECRET_SETTINGS } from './config-settings.ts'

/** All that can be set on a relay. `docs/configuration.md` gives each setting's default and reason. */
export interface RelayConfig {
	readonly mode: 'development' | 'production'
	readonly host: string
	/** 0 takes any free port. */
	readonly port: number
	/** Without a slash at its end; may have a path prefix. Absent: made from host and port once they are known. */
	readonly publicUrl?: string
	readonly tls?: { readonly certFile: string; readonly keyFile: string }
	readonly ipSource: 'ConnectInfo' | 'XForwardedFor' | 'Forwarded'
	/** Addresses and ranges of proxies whose forwarded headers are believed. */
	readonly trustedProxies: readonly string[]
	/** Origins, besides the relay's own, whose pages may open sockets. */
	readonly allowedOrigins: readonly string[]
	readonly statsRefreshMs: number
	readonly pingMs: number
	/** PostgreSQL; absent: SQLite in `dataDir`. Holds a password: never logged. */
	readonly databaseUrl?: string
	readonly dataDir: string
	readonly logLevel: 'error' | 'warn' | 'info' | 'debug' | 'trace'
	readonly newLinksPerMinute: number
	readonly hellosPerMinute: number
	readonly socketsPerUser: number
}

/** Where settings come from, strongest first. */
export interface ConfigSources {
	/** By flag name without dashes in front, such as `public-url`. */
	readonly flags?: Readonly<Record<string, string | undefined>>
	readonly env?: Readonly<Record<string, string | undefined>>
	/** The parsed settings file: an object whose keys are the names in lower case. */
	readonly file?: unknown
}

export type ConfigResult<T> =
	| { readonly ok: true; readonly value: T }
	| { readonly ok: false; readonly problems: readonly string[] }

/** Reads all settings, and tells all that is wrong with them at once. */
export function parseRelayConfig(sources: ConfigSources): ConfigResult<RelayConfig> {
	const problems: string[] = []
	const settings = readSettings(sources, problems)
	const config = withDefaults(settings, sources.env ?? {})
	problems.push(...conflicts(config, settings))
	return problems.length === 0 ? { ok: true, value: config } : { ok: false, problems }
}

/** The settings in force as `NAME=value` lines, secrets hidden; for `--print-config`. */
export function describeRelayConfig(config: RelayConfig): readonly string[] {
	const values: Readonly<Record<RelaySettingName, string | number | undefined>> = {
		HOST: config.host,
		PORT: config.port,
		APP_MODE: config.mode,
		PUBLIC_URL: config.publicUrl,
		TLS_CERT: config.tls?.certFile,
		TLS_KEY: config.tls?.keyFile,
		IP_SOURCE: config.ipSource,
		TRUSTED_PROXIES: config.trustedProxies.join(','),
		ACCESS_CONTROL_ALLOW_ORIGIN: config.allowedOrigins.join(','),
		STATS_REFRESH_INTERVAL: `${config.statsRefreshMs / 1000}s`,
		PING_INTERVAL: `${config.pingMs / 1000}s`,
		DATABASE_URL: config.databaseUrl,
		DATA_DIR: config.dataDir,
		LOG_LEVEL: config.logLevel,
		NEW_LINKS_PER_MINUTE: config.newLinksPerMinute,
		HELLOS_PER_MINUTE: config.hellosPerMinute,
		SOCKETS_PER_USER: config.socketsPerUser,
	}
	return settingNames().map((name) => {
		const value = values[name]
		if (value === undefined || value === '') return `${name}= (not set)`
		return `${name}=${SECRET_SETTINGS.has(name) ? '[hidden]' : value}`
	})
}

function settingNames(): readonly RelaySettingName[] {
	// Safe: the keys of a constant object of our own.
	return Object.keys(RELAY_SETTINGS) as RelaySettingName[]
}

function readSettings(sources: ConfigSources, problems: string[]): RelaySettings {
	const file = fileValues(sources.file, problems)
	const flags = sources.flags ?? {}
	const known = new Set(settingNames().map(flagName))
	for (const flag of Object.keys(flags)) if (!known.has(flag)) problems.push(`--${flag}: there is no such setting`)
	const settings: Record<string, unknown> = {}
	for (const name of settingNames()) {
		const found = firstSet([
			[`--${flagName(name)}`, flags[flagName(name)]],
			[name, sources.env?.[name]],
			[`${name.toLowerCase()} in the settings file`, file.get(name)],
		])
		if (found === undefined) continue
		const parsed = v.safeParse(RELAY_SETTINGS[name], found.value)
		if (parsed.success) settings[name] = parsed.output
		else
			problems.push(
				`${found.from}: ${parsed.issues[0].message}${SECRET_SETTINGS.has(name) ? '' : `, not ${quoted(found.value)}`}`,
			)
	}
	return settings
}

/** An empty variable counts as not set: that is how people switch one off in a unit or compose file. */
function firstSet(candidates: readonly (readonly [string, string | undefined])[]): { from: string; value: string } | undefined {
	for (const [from, value] of candidates) if (value !== undefined && value.trim() !== '') return { from, value }
	return undefined
}

function fileValues(file: unknown, problems: string[]): ReadonlyMap<RelaySettingName, string> {
	const values = new Map<RelaySettingName, string>()
	if (file === undefined) return values
	if (typeof file !== 'object' || file === null || Array.isArray(file)) {
		problems.push('settings file: must hold one JSON object')
		return values
	}
	for (const [key, value] of Object.entries(file)) {
		const name = settingNames().find((candidate) => candidate.toLowerCase() === key)
		const text = textOf(value)
		if (name === undefined) problems.push(`${quoted(key)} in the settings file: there is no such setting`)
		else if (text === undefined) problems.push(`${key} in the settings file: must be text, a number or a list of texts`)
		else values.set(name, text)
	}
	return values
}

function textOf(value: unknown): string | undefined {
	if (typeof value === 'string') return value
	if (typeof value === 'number') return String(value)
	return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value.join(',') : undefined
}

function withDefaults(settings: RelaySettings, env: Readonly<Record<string, string | undefined>>): RelayConfig {
	const mode = settings.APP_MODE ?? 'development'
	return {
		mode,
		host: settings.HOST ?? (mode === 'production' ? '0.0.0.0' : '127.0.0.1'),
		port: settings.PORT ?? 8080,
		...(settings.PUBLIC_URL === undefined ? {} : { publicUrl: settings.PUBLIC_URL }),
		...(settings.TLS_CERT === undefined || settings.TLS_KEY === undefined
			? {}
			: { tls: { certFile: settings.TLS_CERT, keyFile: settings.TLS_KEY } }),
		ipSource: settings.IP_SOURCE ?? 'ConnectInfo',
		trustedProxies: settings.TRUSTED_PROXIES ?? [],
		allowedOrigins: settings.ACCESS_CONTROL_ALLOW_ORIGIN ?? [],
		statsRefreshMs: settings.STATS_REFRESH_INTERVAL ?? 15_000,
		pingMs: settings.PING_INTERVAL ?? LIMITS.pingMs,
		...(settings.DATABASE_URL === undefined ? {} : { databaseUrl: settings.DATABASE_URL }),
		dataDir: settings.DATA_DIR ?? join(dataHome(env), 'sallyport', 'relay'),
		logLevel: settings.LOG_LEVEL ?? 'info',
		newLinksPerMinute: settings.NEW_LINKS_PER_MINUTE ?? 10,
		hellosPerMinute: settings.HELLOS_PER_MINUTE ?? 50,
		socketsPerUser: settings.SOCKETS_PER_USER ?? 100,
	}
}

function dataHome(env: Readonly<Record<string, string | undefined>>): string {
	const set = env['XDG_DATA_HOME']
	// The XDG specification: a relative path is to be ignored.
	return set?.startsWith('/') === true ? set : join(env['HOME'] ?? homedir(), '.local', 'share')
}

function conflicts(config: RelayConfig, settings: RelaySettings): readonly string[] {
	const problems: string[] = []
	if ((settings.TLS_CERT === undefined) !== (settings.TLS_KEY === undefined))
		problems.push('TLS_CERT and TLS_KEY: set both or neither')
	if (config.ipSource !== 'ConnectInfo' && config.trustedProxies.length === 0)
		problems.push(`IP_SOURCE: ${config.ipSource} needs TRUSTED_PROXIES, else anyone could name any address`)
	if (config.mode === 'production') problems.push(...productionDemands(config, settings))
	return problems
}

function productionDemands(config: RelayConfig, settings: RelaySettings): readonly string[] {
	const problems: string[] = []
	if (config.publicUrl === undefined) problems.push('PUBLIC_URL: production needs the address that people type')
	else if (!config.publicUrl.startsWith('https://')) problems.push('PUBLIC_URL: production needs https')
	if (config.tls === undefined && config.trustedProxies.length === 0)
		problems.push('TLS_CERT and TLS_KEY, or TRUSTED_PROXIES: production needs TLS here or at a listed proxy')
	if (settings.ACCESS_CONTROL_ALLOW_ORIGIN === undefined)
		problems.push(
			'ACCESS_CONTROL_ALLOW_ORIGIN: production needs the list of origins whose pages may connect; name PUBLIC_URL’s own',
		)
	return problems
}

function flagName(name: string): string {
	return name.toLowerCase().replaceAll('_', '-')
}

function quoted(text: string): string {
	return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text)
}
