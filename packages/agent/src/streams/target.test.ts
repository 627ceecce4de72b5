import { describe, expect, it } from 'vitest'
import type { Policy } from '../config/policy.ts'
import { DEFAULT_POLICY, parsePolicy } from '../config/policy.ts'
import type { TargetDecision } from './target.ts'
import { decideTarget } from './target.ts'

const ownSsh = { host: '127.0.0.1', port: 22 }
const names: Readonly<Record<string, readonly string[]>> = {
	localhost: ['127.0.0.1', '::1'],
	'rebound.example': ['127.0.0.1'],
	'metadata.example': ['169.254.169.254'],
	'two.example': ['10.0.0.1', '192.0.2.9'],
	'db.internal.example': ['10.1.2.3'],
	'2130706433': ['127.0.0.1'],
}
const resolve = async (host: string): Promise<readonly string[]> => {
	const found = names[host]
	if (found === undefined) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' })
	return found
}
const decide = (host: string, port: number, policy: Policy = DEFAULT_POLICY): Promise<TargetDecision> =>
	decideTarget({ host, port }, ownSsh, policy, resolve)
const policyOf = (...forward: { host: string; ports: string | number }[]): Policy => {
	const parsed = parsePolicy(JSON.stringify({ version: 1, forward }))
	if (!parsed.ok) throw new Error(parsed.problems.join())
	return parsed.policy
}

describe('targets', () => {
	it.each([
		'127.0.0.1',
		'localhost',
		'LOCALHOST',
		'localhost.',
		'::ffff:127.0.0.1',
		'[::ffff:7f00:1]',
		'0.0.0.0',
		'2130706433',
		'rebound.example',
	])('lets %s port 22 be the own sshd by default', async (host) => {
		expect(await decide(host, 22)).toEqual({ kind: 'allowed', addresses: ['127.0.0.1'], isOwnSsh: true })
	})

	it.each([
		['another port of this machine', '127.0.0.1', 23],
		['another host', '10.0.0.1', 22],
		['a name of another host', 'two.example', 22],
		['the whole of IPv6 as loopback', '::', 22],
		['loopback by IPv6, where the own sshd is not', '::1', 22],
	])('refuses by default %s', async (_what, host, port) => {
		expect(await decide(host, port)).toMatchObject({ kind: 'refused', code: 'policy_refused' })
	})

	it('refuses the own sshd where the policy says so', async () => {
		expect(await decide('127.0.0.1', 22, { ...DEFAULT_POLICY, ssh: false })).toMatchObject({ kind: 'refused' })
	})

	it('judges the addresses that a name has, and gives only those that are allowed', async () => {
		const policy = policyOf({ host: '10.0.0.0/8', ports: '80,8000-8999' })
		expect(await decide('two.example', 8080, policy)).toEqual({ kind: 'allowed', addresses: ['10.0.0.1'], isOwnSsh: false })
		expect(await decide('10.255.0.1', 80, policy)).toMatchObject({ kind: 'allowed' })
		expect(await decide('11.0.0.1', 80, policy)).toMatchObject({ kind: 'refused' })
		expect(await decide('10.0.0.1', 81, policy)).toMatchObject({ kind: 'refused' })
	})

	it('does not let a name lead to this machine or to link-local addresses', async () => {
		const policy = policyOf({ host: 'rebound.example', ports: '*' }, { host: '*.example', ports: '*' })
		expect(await decide('rebound.example', 80, policy)).toMatchObject({ kind: 'refused' })
		expect(await decide('metadata.example', 80, policy)).toMatchObject({ kind: 'refused' })
		expect(await decide('db.internal.example', 5432, policy)).toMatchObject({ kind: 'allowed', addresses: ['10.1.2.3'] })
	})

	it('takes localhost in a rule for both loopbacks', async () => {
		const policy = policyOf({ host: 'localhost', ports: 3000 })
		expect(await decide('localhost', 3000, policy)).toEqual({ kind: 'allowed', addresses: ['127.0.0.1', '::1'], isOwnSsh: false })
	})

	it.each(['', 'a b', '-oProxyCommand=x', 'a\nb', 'a\0b', '$(id)', '../x'])('takes %j for no host', async (host) => {
		expect(await decide(host, 80, policyOf({ host: '*', ports: '*' }))).toMatchObject({ kind: 'refused', code: 'name_unknown' })
	})
})

describe('policy file', () => {
	it('reports every problem with its place', () => {
		const text = JSON.stringify({
			version: 1,
			forward: [
				{ host: '10.0.0.0/33', ports: '22' },
				{ host: 'ok', ports: '0' },
				{ host: '300.1.1.1', ports: '9-3' },
			],
		})
		expect(parsePolicy(text)).toEqual({
			ok: false,
			problems: [
				expect.stringContaining('forward.0.host'),
				expect.stringContaining('forward.1.ports'),
				expect.stringContaining('forward.2.host'),
				expect.stringContaining('forward.2.ports'),
			],
		})
	})

	it.each(['', '[]', '{}', '{"version":2}', '{"version":1,"shel":false}', '{"version":1,"forward":[{"host":"*"}]}'])(
		'refuses %j',
		(text) => {
			expect(parsePolicy(text).ok).toBe(false)
		},
	)

	it('takes what is left out as the default', () => {
		expect(parsePolicy('{"version":1}')).toEqual({ ok: true, policy: DEFAULT_POLICY })
		expect(parsePolicy('{"version":1,"shell":false,"exec":false,"ssh":false}')).toEqual({
			ok: true,
			policy: { shell: false, exec: false, ssh: false, forward: [] },
		})
	})
})
