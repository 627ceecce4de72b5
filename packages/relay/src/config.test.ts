import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeRelayConfig, parseRelayConfig } from './config.ts'

function problemsOf(sources: Parameters<typeof parseRelayConfig>[0]): readonly string[] {
	const parsed = parseRelayConfig(sources)
	return parsed.ok ? [] : parsed.problems
}

describe('relay settings', () => {
	it('has a default for everything in development', () => {
		const parsed = parseRelayConfig({ env: { HOME: '/home/ann' } })
		expect(parsed).toMatchObject({
			ok: true,
			value: {
				mode: 'development',
				host: '127.0.0.1',
				port: 8080,
				ipSource: 'ConnectInfo',
				pingMs: 20_000,
				dataDir: '/home/ann/.local/share/sallyport/relay',
				socketsPerUser: 100,
			},
		})
	})

	it('takes flags before environment before file', () => {
		const file = { port: 3, host: 'file', log_level: 'warn' }
		const parsed = parseRelayConfig({ flags: { port: '1' }, env: { PORT: '2', HOST: 'env', HOME: '/' }, file })
		expect(parsed).toMatchObject({ ok: true, value: { port: 1, host: 'env', logLevel: 'warn' } })
	})

	it('reports every problem at once, with its place', () => {
		const problems = problemsOf({
			flags: { port: 'eighty', colour: 'red' },
			env: { PING_INTERVAL: '51', IP_SOURCE: 'XForwardedFor', TLS_CERT: '/cert' },
			file: { databse_url: 'x', trusted_proxies: { a: 1 } },
		})
		expect(problems.join('\n')).toMatchInlineSnapshot(`
			""databse_url" in the settings file: there is no such setting
			trusted_proxies in the settings file: must be text, a number or a list of texts
			--colour: there is no such setting
			--port: must be a whole number, not "eighty"
			PING_INTERVAL: must be 50 s or less, not "51"
			TLS_CERT and TLS_KEY: set both or neither
			IP_SOURCE: XForwardedFor needs TRUSTED_PROXIES, else anyone could name any address"
		`)
	})

	it('demands https, a public address, a TLS end and an origin list in production', () => {
		expect(problemsOf({ env: { APP_MODE: 'production' } })).toHaveLength(3)
		expect(
			problemsOf({ env: { APP_MODE: 'production', PUBLIC_URL: 'http://a.example', TLS_CERT: 'c', TLS_KEY: 'k' } }),
		).toHaveLength(2)
		const env = {
			APP_MODE: 'production',
			PUBLIC_URL: 'https://a.example/sally/',
			ACCESS_CONTROL_ALLOW_ORIGIN: 'https://a.example',
			TRUSTED_PROXIES: '10.0.0.0/8, ::1',
		}
		expect(parseRelayConfig({ env })).toMatchObject({
			ok: true,
			value: { host: '0.0.0.0', publicUrl: 'https://a.example/sally', trustedProxies: ['10.0.0.0/8', '::1'] },
		})
	})

	it.each([
		['PUBLIC_URL', 'ftp://a'],
		['PUBLIC_URL', 'https://user:pw@a.example'],
		['ACCESS_CONTROL_ALLOW_ORIGIN', '*'],
		['ACCESS_CONTROL_ALLOW_ORIGIN', 'https://a.example/path'],
		['TRUSTED_PROXIES', '10.0.0.0/33'],
		['TRUSTED_PROXIES', 'proxy.example'],
		['TRUSTED_PROXIES', '1.2.3.256'],
		['PORT', '65536'],
		['PORT', '-1'],
		['DATABASE_URL', 'mysql://x'],
		['LOG_LEVEL', 'loud'],
	])('refuses %s=%s', (name, value) => {
		expect(problemsOf({ env: { [name]: value } }).length).toBeGreaterThan(0)
	})

	it('shows the settings in force without their secrets', () => {
		const parsed = parseRelayConfig({ env: { DATABASE_URL: 'postgres://u:hunter2@h/db', HOME: '/' } })
		const lines = parsed.ok ? describeRelayConfig(parsed.value) : []
		expect(lines).toContain('DATABASE_URL=[hidden]')
		expect(lines).toContain('PUBLIC_URL= (not set)')
		expect(lines.join('\n')).not.toContain('hunter2')
		expect(problemsOf({ env: { DATABASE_URL: 'mysql://u:hunter2@h' } }).join()).not.toContain('hunter2')
	})

	it('never throws, whatever it is given', () => {
		fc.assert(
			fc.property(fc.dictionary(fc.string(), fc.string()), fc.anything(), (env, file) => {
				parseRelayConfig({ env, file })
			}),
		)
	})
})
