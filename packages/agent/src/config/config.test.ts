import { describe, expect, it } from 'vitest'
import { parseAgentConfig } from './config.ts'

describe('settings', () => {
	it('have the defaults that the documentation names', () => {
		expect(parseAgentConfig({ env: { XDG_STATE_HOME: '/state' } })).toMatchObject({
			ok: true,
			config: {
				host: '127.0.0.1',
				port: 8081,
				sshHost: '127.0.0.1',
				sshPort: 22,
				sshAuthMethod: 'credentials_prompt',
				statsIntervalMs: 15_000,
				pingIntervalMs: 20_000,
				dataDir: '/state/sallyport/agent',
				policyFile: '/state/sallyport/agent/policy.json',
				logLevel: 'info',
			},
		})
	})

	it('are taken from flags, then environment, then file', () => {
		const file = { port: 1, ssh_port: '2', log_level: 'warn' }
		const parsed = parseAgentConfig({ flags: { PORT: '3' }, env: { PORT: '4', SSH_PORT: '5' }, file })
		expect(parsed).toMatchObject({ ok: true, config: { port: 3, sshPort: 5, logLevel: 'warn' } })
	})

	it('report every problem at once', () => {
		const parsed = parseAgentConfig({
			flags: { PORT: '70000', COLOUR: 'red' },
			env: {
				SSH_AUTH_METHOD: 'magic',
				PING_INTERVAL: '60s',
				RELAY_URL: 'http://relay.example',
				ALLOWED_ORIGINS: 'https://a.example/x',
			},
			file: { relay_plain_http: 'perhaps', x: 1 },
		})
		const problems = parsed.ok ? [] : parsed.problems
		for (const name of [
			'PORT',
			'COLOUR',
			'SSH_AUTH_METHOD',
			'PING_INTERVAL',
			'RELAY_URL',
			'ALLOWED_ORIGINS',
			'RELAY_PLAIN_HTTP',
			'X ',
		]) {
			expect(
				problems.filter((problem) => problem.startsWith(name)),
				name,
			).toHaveLength(1)
		}
		expect(problems).toHaveLength(8)
	})

	it('read times with and without units, and Phirepass’s SERVER_HOST', () => {
		const parsed = parseAgentConfig({
			env: { STATS_REFRESH_INTERVAL: '5', TERMINAL_DETACHED_TIME: '2h', SERVER_HOST: '127.0.0.1', SERVER_PORT: '9000' },
		})
		expect(parsed).toMatchObject({
			ok: true,
			config: { statsIntervalMs: 5_000, terminalDetachedMs: 7_200_000, relayUrl: 'http://127.0.0.1:9000' },
		})
	})
})
