import { describe, expect, it } from 'vitest'
import { secretsIn } from './secrets.mjs'

/** Planted secrets are put together here, so that this file holds none. */
const join = (...parts: readonly string[]) => parts.join('')
const PEM = join(
	'-----BEGIN PRIV',
	'ATE KEY-----\n',
	'MC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n',
	'-----END PRIV',
	'ATE KEY-----',
)
const TOKEN = join('sly_', 'pat_', 'a'.repeat(61))
const JWT = join('eyJhbGciOiJIUzI1NiJ9', '.', 'eyJzdWIiOiIxMjM0NTY3ODkwIn0', '.', 'c2lnbmF0dXJlMTIz')

describe('secretsIn', () => {
	it.each([
		['packages/a/src/a.ts', "const jwtSecret = 'change-me'"],
		['packages/a/src/a.ts', "const config = { password: 'admin123' }"],
		['packages/a/src/a.ts', "const config = { password: 'password' }"],
		['packages/a/src/a.ts', "const config = { 'api-key': 'k-12345' }"],
		['packages/a/src/a.ts', "const secret = process.env.JWT_SECRET ?? 'dev-secret'"],
		['packages/a/src/a.ts', "start(process.env.ADMIN_PASSWORD || 'admin')"],
		['packages/a/src/a.ts', "const { SESSION_SECRET = 'insecure' } = process.env"],
		['packages/a/src/a.ts', "function open(password = 'letmein') { return password }"],
		['packages/a/src/a.ts', "config.privateKey = 'abcdef'"],
		['packages/a/src/a.ts', 'class A { #secret = `hunter2` }'],
		['packages/a/src/a.ts', `const x = '${TOKEN}'`],
		['packages/a/src/a.test.ts', `const x = '${TOKEN}'`],
		['packages/a/src/a.test.ts', `const x = \`${PEM}\``],
		['docs/a.md', `use ${JWT} to try it`],
		['deploy/compose.yaml', 'environment:\n  POSTGRES_PASSWORD: postgres'],
		['deploy/compose.yaml', 'environment:\n  - JWT_SECRET=supersecret'],
		['deploy/compose.yaml', `  URL: ${'$'}{JWT_SECRET:-supersecret}`],
		['deploy/relay.env', 'PAT_TOKEN=abcdefgh'],
		['deploy/Dockerfile', 'ENV ADMIN_PASSWORD=admin'],
		['config.json', '{\n\t"clientSecret": "s3cr3t"\n}'],
		['packages/a/src/a.ts', `connect('${join('postgres://me:', 'hunter2', '@db/x')}')`],
	])('finds what is planted in %s: %s', (path, source) => {
		expect(secretsIn(path, source)).toHaveLength(1)
	})

	it('names file and line', () => {
		expect(secretsIn('a.ts', "\n\nconst password = 'admin'\n")[0]).toMatch(/^a\.ts:3: a value for password is written down/)
	})

	it.each([
		['packages/a/src/a.ts', 'const password = readPassword()'],
		['packages/a/src/a.ts', "const tokenKind = 'access'"],
		['packages/a/src/a.ts', "const SECRET_LABEL = 'sallyport-secret-v1'"],
		['packages/a/src/a.ts', "const secret = process.env['JWT_SECRET'] ?? ''"],
		['packages/a/src/a.ts', "const help = { password: 'Your password on this machine' }"],
		['packages/a/src/a.ts', "const settings = { token: 'PAT_TOKEN' }"],
		['packages/a/src/a.ts', "const columns = { accessToken: 'access_token' }"],
		['packages/a/src/a.ts', "const shown = { secret: '[redacted]' }"],
		['packages/a/src/a.ts', "const kinds = { password: 'password' } // not-a-secret: the name of a prompt"],
		['packages/a/src/a.test.ts', "const password = 'correct-horse'"],
		['deploy/compose.yaml', `  JWT_SECRET: ${'$'}{JWT_SECRET:?set it}`],
		['deploy/relay.env', 'PAT_TOKEN='],
		['deploy/relay.env', 'DATABASE_URL=postgres://sally@localhost/sally'],
	])('passes over what is none in %s: %s', (path, source) => {
		expect(secretsIn(path, source)).toEqual([])
	})
})
