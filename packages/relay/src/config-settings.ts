import { LIMITS } from '@sallyport/protocol'
import * as v from 'valibot'

const SECOND_MS = 1000

const text = v.pipe(v.string(), v.trim(), v.minLength(1, 'must not be empty'), v.maxLength(4096, 'is too long'))
const list = v.pipe(
	v.string(),
	v.transform((value) =>
		value
			.split(',')
			.map((item) => item.trim())
			.filter((item) => item !== ''),
	),
)
const whole = (min: number, max: number) =>
	v.pipe(
		v.string(),
		v.regex(/^\d{1,9}$/, 'must be a whole number'),
		v.transform(Number),
		v.minValue(min, `must be ${min} or more`),
		v.maxValue(max, `must be ${max} or less`),
	)
const seconds = (min: number, max: number) =>
	v.pipe(
		v.string(),
		v.regex(/^\d{1,6}s?$/, 'must be a number of seconds, such as 20 or 20s'),
		v.transform((value) => Number.parseInt(value, 10)),
		v.minValue(min, `must be ${min} s or more`),
		v.maxValue(max, `must be ${max} s or less`),
		v.transform((value) => value * SECOND_MS),
	)

const publicUrl = v.pipe(
	text,
	v.check((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), 'must be an http or https address'),
	v.check((value) => !URL.canParse(value) || isPlainBase(new URL(value)), 'must hold no user, query or fragment'),
	v.transform((value) => value.replace(/\/+$/, '')),
)

const origins = v.pipe(
	list,
	v.check(
		(items) => items.every((item) => URL.canParse(item) && new URL(item).origin === item && item.startsWith('http')),
		'must be origins such as https://relay.example, separated by commas, without a path; * is not one',
	),
)

const proxies = v.pipe(
	list,
	v.check((items) => items.every(isAddressOrRange), 'must be IP addresses or ranges such as 10.0.0.0/8, separated by commas'),
)

/** Every setting of the relay with the rule for its value. `docs/configuration.md` describes each. */
export const RELAY_SETTINGS = {
	HOST: text,
	PORT: whole(0, 65_535),
	APP_MODE: v.picklist(['development', 'production'], 'must be development or production'),
	PUBLIC_URL: publicUrl,
	TLS_CERT: text,
	TLS_KEY: text,
	IP_SOURCE: v.picklist(['ConnectInfo', 'XForwardedFor', 'Forwarded'], 'must be ConnectInfo, XForwardedFor or Forwarded'),
	TRUSTED_PROXIES: proxies,
	ACCESS_CONTROL_ALLOW_ORIGIN: origins,
	STATS_REFRESH_INTERVAL: seconds(1, LIMITS.pingMaxMs / SECOND_MS),
	PING_INTERVAL: seconds(1, LIMITS.pingMaxMs / SECOND_MS),
	DATABASE_URL: v.pipe(
		text,
		v.check((value) => /^postgres(ql)?:\/\//.test(value), 'must be the address of a PostgreSQL database (postgres://…)'),
	),
	DATA_DIR: text,
	LOG_LEVEL: v.picklist(['error', 'warn', 'info', 'debug', 'trace'], 'must be error, warn, info, debug or trace'),
	NEW_LINKS_PER_MINUTE: whole(1, 100_000),
	HELLOS_PER_MINUTE: whole(1, 100_000),
	SOCKETS_PER_USER: whole(1, 100_000),
} as const

export type RelaySettingName = keyof typeof RELAY_SETTINGS
export type RelaySettings = { readonly [Name in RelaySettingName]?: v.InferOutput<(typeof RELAY_SETTINGS)[Name]> }

/** Names whose values never appear in `--print-config`, logs or error texts. */
export const SECRET_SETTINGS: ReadonlySet<RelaySettingName> = new Set(['DATABASE_URL'])

function isPlainBase(url: URL): boolean {
	return url.username === '' && url.password === '' && url.search === '' && url.hash === ''
}

function isAddressOrRange(item: string): boolean {
	const match = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(item)
	const [address, prefix] = [match?.[1], match?.[2]]
	if (address === undefined) return false
	const bits = address.includes(':') ? 128 : 32
	return isAddress(address) && (prefix === undefined || Number(prefix) <= bits)
}

function isAddress(address: string): boolean {
	if (!address.includes(':'))
		return /^(\d{1,3}\.){3}\d{1,3}$/.test(address) && address.split('.').every((part) => Number(part) < 256)
	return URL.canParse(`http://[${address}]/`)
}
