import type { TestPostgres } from '@sallyport/testkit/postgres'
import { startPostgres } from '@sallyport/testkit/postgres'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newToken } from '../identity/token-text.ts'
import type { Fixture } from './api.fixture.ts'
import { createFixture, INSTANT_PASSWORDS, newMachine, ORIGIN, OWNER } from './api.fixture.ts'

let postgres: TestPostgres
beforeAll(async () => {
	postgres = await startPostgres()
}, 60_000)
afterAll(() => postgres.stop())

/** In shape and checksum right, so that the queries behind are reached. */
const token = newToken('enrol').text
const ROUTES: readonly (readonly [string, string, Readonly<Record<string, unknown>>])[] = [
	['POST', '/api/setup', { setup_secret: 'x', ...OWNER }],
	['POST', '/api/auth/sign-in/email', { email: OWNER.email, password: 'wrong password' }],
	['POST', '/api/auth/change-password', { currentPassword: 'wrong password', newPassword: 'another password' }],
	['POST', '/api/cli/login', { email: OWNER.email, password: 'wrong password', device_name: 'x' }],
	['POST', '/api/session/page-ticket', {}],
	['PATCH', '/api/account', { username: 'Ada' }],
	['POST', '/api/tokens', { name: 'x', scopes: ['nodes:read'], expires_in_days: 1 }],
	['POST', '/api/enrol-tokens', { name: 'x' }],
	['POST', '/api/nodes/enrol', newMachine().enrolBody(token)],
	['PATCH', `/api/nodes/${newMachine().nodeId}`, { name: 'x' }],
]

/** A good body with one field made wrong, any JSON, and any text. */
function hostile(body: Readonly<Record<string, unknown>>): fc.Arbitrary<string> {
	const spoiled = fc
		.tuple(
			fc.constantFrom(...Object.keys(body), '__proto__', 'constructor'),
			fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' })),
		)
		.map(([key, value]) => JSON.stringify({ ...body, [key]: value }))
	return fc.oneof(spoiled, fc.json(), fc.string({ unit: 'binary', minLength: 1 }))
}

describe.each([
	['SQLite', () => ({})],
	['PostgreSQL', () => ({ databaseUrl: postgres.createDatabase('hostile') })],
] as const)('on %s', (_engine, where) => {
	let relay: Fixture
	let web: string
	beforeAll(async () => {
		relay = await createFixture({ ...where(), passwordAlgorithm: INSTANT_PASSWORDS })
		web = (await relay.setUp()).web
	})
	afterAll(() => relay.close())

	it.each(ROUTES)('%s %s never fails on a hostile body', async (method, path, body) => {
		let count = 0
		await fc.assert(
			fc.asyncProperty(hostile(body), async (text) => {
				// From a new place each time, so that limits don't hide the parser.
				relay.address.current = `2001:db8:${(++count).toString(16)}::1`
				const answer = await relay.ask(method, path, { token: web, body: text, origin: ORIGIN })
				expect(answer.status).toBeLessThan(500)
				expect(relay.logged).not.toHaveBeenCalled()
				if (answer.status >= 400) expect((await answer.json()).error.message).not.toBe('')
			}),
			{ numRuns: 150 },
		)
	})

	it.each(['/api/nodes/', '/api/tokens/', '/api/access-sessions/', '/api/enrol-tokens/', '/api/connections/'])(
		'DELETE %s… never fails on a hostile id',
		async (path) => {
			await fc.assert(
				fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }), async (id) => {
					const answer = await relay.ask('DELETE', path + encodeURIComponent(id), { token: web })
					expect(answer.status).toBe(404)
				}),
				{ numRuns: 60, examples: [['\0'], ['A'.repeat(12)], ['..'], ["' or 1=1 --"]] },
			)
		},
	)

	it('a hostile Authorization header is no token', async () => {
		await fc.assert(
			fc.asyncProperty(fc.string({ maxLength: 200 }), async (text) => {
				relay.address.current = '2001:db8:ffff::1'
				const answer = await relay.ask('GET', '/api/session', { headers: { authorization: `Bearer ${text}` } })
				expect([401, 429]).toContain(answer.status)
			}),
			{ numRuns: 100 },
		)
	})
})
