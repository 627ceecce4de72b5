import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStore } from '../store/store.ts'
import type { Fixture } from './api.fixture.ts'
import { cookieOf, createFixture, INSTANT_PASSWORDS, ORIGIN, OWNER } from './api.fixture.ts'

const CSRF = { 'x-sallyport-csrf': '1' }
const DAY_MS = 24 * 60 * 60 * 1000

describe('the sign-in cookie', () => {
	let relay: Fixture
	let ada: Awaited<ReturnType<Fixture['setUp']>>
	beforeEach(async () => {
		relay = await createFixture({ passwordAlgorithm: INSTANT_PASSWORDS })
		ada = await relay.setUp()
	})
	afterEach(() => relay.close())

	const askToken = (cookie: string, changes: { origin?: string; headers?: Record<string, string> } = {}) =>
		relay.ask('POST', '/api/session/token', { cookie, origin: ORIGIN, headers: CSRF, body: {}, ...changes })
	const statusWith = async (token: string) => (await relay.ask('GET', '/api/session', { token })).status

	it('is a __Host- cookie on https: secure, for the whole host, out of reach of scripts', async () => {
		const answer = await relay.ask('POST', '/api/auth/sign-in/email', { body: { email: OWNER.email, password: OWNER.password } })
		const [cookie, ...others] = answer.headers.getSetCookie()
		expect(others).toEqual([])
		expect(cookie).toMatch(/^__Host-sallyport\.session_token=[^;]+; /)
		const attributes = cookie?.split('; ').slice(1).sort()
		expect(attributes).toEqual(['HttpOnly', 'Max-Age=604800', 'Path=/', 'SameSite=Lax', 'Secure'])
	})

	it('has a plain name on http, apart for each port', async () => {
		const plain = await createFixture({ origin: 'http://127.0.0.1:8080', passwordAlgorithm: INSTANT_PASSWORDS })
		const setup = await plain.control.createSetup()
		const answer = await plain.ask('POST', '/api/setup', { body: { setup_secret: setup?.setupSecret, ...OWNER } })
		expect(answer.headers.getSetCookie()).toEqual([expect.stringMatching(/^sallyport-8080\.session_token=/)])
		expect(answer.headers.getSetCookie()[0]).not.toMatch(/secure/i)
		await plain.close()
	})

	it('is a new one at every sign-in, whatever the browser sent along', async () => {
		const answer = await relay.ask('POST', '/api/auth/sign-in/email', {
			cookie: ada.cookie,
			body: { email: OWNER.email, password: OWNER.password },
		})
		expect(cookieOf(answer)).not.toBe(ada.cookie)
	})

	it('does not put the raw session token in the answer', async () => {
		const answer = await relay.ask('POST', '/api/auth/sign-in/email', { body: { email: OWNER.email, password: OWNER.password } })
		const stored = await relay.store.db.selectFrom('auth_sessions').select('token').execute()
		const text = await answer.text()
		for (const { token } of stored) expect(text).not.toContain(token)
	})

	it('can not be made from what the database holds', async () => {
		const row = await relay.store.db.selectFrom('auth_sessions').select('token').executeTakeFirstOrThrow()
		const forged = `__Host-sallyport.session_token=${encodeURIComponent(`${row.token}.${'A'.repeat(43)}=`)}`
		expect((await askToken(forged)).status).toBe(401)
		expect((await askToken(`__Host-sallyport.session_token=${row.token}`)).status).toBe(401)
	})

	it.each([
		['another origin', { origin: 'https://evil.example', headers: CSRF }],
		['the null origin', { origin: 'null', headers: CSRF }],
		['a listed origin that is not its own', { origin: 'https://listed.example', headers: CSRF }],
		['a look-alike origin', { origin: `${ORIGIN}.evil.example`, headers: CSRF }],
		['another port', { origin: `${ORIGIN}:8443`, headers: CSRF }],
		['plain http', { origin: 'http://relay.example', headers: CSRF }],
		['another name of the relay that is not the one asked', { origin: 'http://127.0.0.1:8080', headers: CSRF }],
		['its own origin without the header', { origin: ORIGIN, headers: {} }],
	])('gives no token to a page of %s', async (_name, changes) => {
		const answer = await askToken(ada.cookie, changes)
		expect(answer.status).toBe(403)
		expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
	})

	it('gives a token to a page under another name of the relay, asked under that name', async () => {
		const answer = await relay.app.request('http://127.0.0.1:8080/api/session/token', {
			method: 'POST',
			headers: { cookie: ada.cookie, origin: 'http://127.0.0.1:8080', ...CSRF },
		})
		expect(answer.status).toBe(200)
	})

	it('gives no token without an origin', async () => {
		const answer = await relay.ask('POST', '/api/session/token', { cookie: ada.cookie, headers: CSRF, body: {} })
		expect(answer.status).toBe(403)
	})

	it('gives a token of ten minutes that ends with the sign-in', async () => {
		const answer = await (await askToken(ada.cookie)).json()
		expect(answer.access_token).toMatch(/^sly_web_/)
		expect(answer.expires_at - Date.now()).toBeGreaterThan(9 * 60 * 1000)
		expect(answer.expires_at - Date.now()).toBeLessThanOrEqual(10 * 60 * 1000)
		expect(answer.user).toMatchObject({ email: OWNER.email, roles: ['user', 'admin', 'owner'] })
		expect(await statusWith(answer.access_token)).toBe(200)
		await relay.ask('POST', '/api/auth/sign-out', { cookie: ada.cookie, origin: ORIGIN })
		expect(await statusWith(answer.access_token)).toBe(401)
		expect((await askToken(ada.cookie)).status).toBe(401)
	})

	it('ends after seven idle days and after thirty days of daily use', async () => {
		const dayAgo = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString()
		const inOneDay = new Date(Date.now() + DAY_MS).toISOString()
		await relay.store.db
			.updateTable('auth_sessions')
			.set({ created_at: dayAgo(29), expires_at: inOneDay })
			.execute()
		expect((await askToken(ada.cookie)).status).toBe(200)
		await relay.store.db
			.updateTable('auth_sessions')
			.set({ created_at: dayAgo(31), expires_at: inOneDay })
			.execute()
		expect(await statusWith(ada.web)).toBe(401)
		expect((await askToken(ada.cookie)).status).toBe(401)
		const second = await relay.signIn(OWNER.email, OWNER.password)
		const token = await relay.webTokenOf(second)
		await relay.store.db
			.updateTable('auth_sessions')
			.set({ created_at: dayAgo(8), expires_at: dayAgo(1) })
			.execute()
		expect(await statusWith(token)).toBe(401)
		expect((await askToken(second)).status).toBe(401)
	})

	it('slides with use, so that a page in use stays signed in', async () => {
		const soon = Date.now() + DAY_MS
		await relay.store.db
			.updateTable('auth_sessions')
			.set({ expires_at: new Date(soon).toISOString(), updated_at: new Date(Date.now() - DAY_MS).toISOString() })
			.execute()
		const answer = await askToken(ada.cookie)
		expect(answer.headers.getSetCookie()).toEqual([expect.stringContaining('Max-Age=604800')])
		const row = await relay.store.db
			.selectFrom('auth_sessions')
			.select(sql<number>`unixepoch(expires_at) * 1000`.as('end'))
			.executeTakeFirstOrThrow()
		expect(row.end).toBeGreaterThan(soon)
	})

	it('never counts on a route of bearer tokens', async () => {
		expect((await relay.ask('GET', '/api/nodes', { cookie: ada.cookie, origin: ORIGIN, headers: CSRF })).status).toBe(401)
	})
})

describe('changing the password', () => {
	let relay: Fixture
	beforeEach(async () => {
		relay = await createFixture({ passwordAlgorithm: INSTANT_PASSWORDS })
	})
	afterEach(() => relay.close())

	const NEW = 'a new long password'
	const change = (cookie: string, currentPassword: string, newPassword = NEW) =>
		relay.ask('POST', '/api/auth/change-password', { cookie, origin: ORIGIN, body: { currentPassword, newPassword } })

	it('ends every sign-in, session and token of the user, says so to sockets, and signs this browser in anew', async () => {
		const ada = await relay.setUp()
		const other = await relay.signIn(OWNER.email, OWNER.password)
		const tokens = [ada.web, await relay.webTokenOf(other), await relay.cliLogin(), await relay.pat(ada.web, ['nodes:read'])]
		const heard: unknown[] = []
		relay.control.controlPlane.onRevocation((revocation) => heard.push(revocation))
		const answer = await change(ada.cookie, OWNER.password)
		expect(answer.status).toBe(200)
		for (const token of tokens) expect((await relay.ask('GET', '/api/session', { token })).status).toBe(401)
		expect(heard).toContainEqual({ kind: 'user', id: ada.answer.user.id })
		const web = await relay.webTokenOf(cookieOf(answer))
		expect((await relay.ask('GET', '/api/session', { token: web })).status).toBe(200)
		await expect(relay.cliLogin()).rejects.toThrow(/401/)
		expect(await relay.cliLogin(OWNER.email, NEW)).toMatch(/^sly_cli_/)
	})

	it('is refused with a wrong current password and with a short new one, and changes nothing', async () => {
		const ada = await relay.setUp()
		expect((await change(ada.cookie, 'not the password')).status).toBe(403)
		expect((await change(ada.cookie, OWNER.password, 'short')).status).toBe(400)
		expect(await relay.cliLogin()).toMatch(/^sly_cli_/)
	})

	it('is refused to another origin', async () => {
		const ada = await relay.setUp()
		const body = { currentPassword: OWNER.password, newPassword: NEW }
		const answer = await relay.ask('POST', '/api/auth/change-password', {
			cookie: ada.cookie,
			origin: 'https://evil.example',
			body,
		})
		expect(answer.status).toBe(403)
	})
})

describe('guessing passwords', () => {
	let relay: Fixture
	beforeEach(async () => {
		relay = await createFixture({ passwordAlgorithm: INSTANT_PASSWORDS })
		await relay.setUp()
	})
	afterEach(() => relay.close())

	const guess = (email: string, password: string) =>
		relay.ask('POST', '/api/cli/login', { body: { email, password, device_name: 'x' } })

	it('gives one answer for a wrong password and an unknown account', async () => {
		const [wrong, unknown] = [await guess(OWNER.email, 'not the password'), await guess('nobody@example.org', 'not the password')]
		expect(wrong.status).toBe(401)
		expect(unknown.status).toBe(401)
		expect(await wrong.json()).toEqual(await unknown.json())
	})

	it('is stopped after ten tries at one account, from anywhere, by both doors, and the right password waits too', async () => {
		for (let index = 0; index < 10; index++) {
			relay.address.current = `198.51.100.${index}`
			expect((await guess(OWNER.email.toUpperCase(), `guess number ${index}`)).status).toBe(401)
		}
		const answer = await guess(OWNER.email, OWNER.password)
		expect(answer.status).toBe(429)
		const { error } = await answer.json()
		expect(error.code).toBe('rate_limited')
		expect(error.retry_after_ms).toBeGreaterThan(0)
		expect(Number(answer.headers.get('retry-after'))).toBe(error.retry_after_ms / 1000)
		const door = await relay.ask('POST', '/api/auth/sign-in/email', { body: { email: OWNER.email, password: OWNER.password } })
		expect(door.status).toBe(429)
	})

	it('is stopped after thirty tries from one address, and a forged header changes nothing', async () => {
		const tryOne = (index: number) =>
			relay.ask('POST', '/api/cli/login', {
				body: { email: `user${index}@example.org`, password: 'whatever it is', device_name: 'x' },
				headers: {
					'x-forwarded-for': `203.0.113.${index}`,
					'x-real-ip': `203.0.113.${index}`,
					forwarded: `for=203.0.113.${index}`,
				},
			})
		for (let index = 0; index < 30; index++) expect((await tryOne(index)).status).toBe(401)
		expect((await tryOne(31)).status).toBe(429)
	})

	it('does not count what was right', async () => {
		for (let index = 0; index < 40; index++) expect((await guess(OWNER.email, OWNER.password)).status).toBe(200)
	})
})

describe('an account', () => {
	let relay: Fixture
	beforeEach(async () => {
		relay = await createFixture({ passwordAlgorithm: INSTANT_PASSWORDS })
	})
	afterEach(() => relay.close())

	it('that is disabled loses what it holds, gets nothing new, and its sockets hear of it', async () => {
		await relay.setUp()
		const bob = await relay.addUser('bob@example.org')
		const { user } = await (await relay.ask('GET', '/api/session', { token: bob.web })).json()
		const heard = new Promise((resolve) => relay.control.controlPlane.onRevocation(resolve))
		await relay.store.users.disable(user.id)
		expect((await relay.ask('GET', '/api/session', { token: bob.web })).status).toBe(401)
		const body = { email: 'bob@example.org', password: OWNER.password }
		const refused = await relay.ask('POST', '/api/auth/sign-in/email', { body })
		expect(refused.status).toBe(401)
		expect((await refused.json()).error.message).toBe('e-mail or password is wrong')
		expect((await relay.ask('POST', '/api/cli/login', { body: { ...body, device_name: 'x' } })).status).toBe(401)
		const token = await relay.ask('POST', '/api/session/token', { cookie: bob.cookie, origin: ORIGIN, headers: CSRF })
		expect(token.status).toBe(401)
		expect(await heard).toEqual({ kind: 'user', id: user.id })
	})

	it('keeps a CLI session for seven days after its last use, and thirty in all', async () => {
		await relay.setUp()
		const cli = await relay.cliLogin()
		const read = () =>
			relay.store.db.selectFrom('access_sessions').selectAll().where('kind', '=', 'cli').executeTakeFirstOrThrow()
		const made = await read()
		expect(made.idle_expires_at - made.created_at).toBe(7 * DAY_MS)
		expect(made.expires_at - made.created_at).toBe(30 * DAY_MS)
		const sixDaysAgo = Date.now() - 6 * DAY_MS
		await relay.store.db
			.updateTable('access_sessions')
			.set({ last_active_at: sixDaysAgo, idle_expires_at: sixDaysAgo + 7 * DAY_MS })
			.execute()
		expect((await relay.ask('GET', '/api/session', { token: cli })).status).toBe(200)
		const used = await read()
		expect(used.idle_expires_at - Date.now()).toBeGreaterThan(6.9 * DAY_MS)
		expect([used.expires_at, used.version]).toEqual([made.expires_at, made.version + 1])
	})

	it('whose sign-in ends while a ticket is being made gets none', async () => {
		const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-race-'))
		const store = await openStore({ kind: 'sqlite', dataDir })
		const add: typeof store.pageTickets.add = async (ticket) => {
			await store.signIns.end(ticket.userId, ticket.signInId)
			return await store.pageTickets.add(ticket)
		}
		const racing = await createFixture({
			store: { ...store, pageTickets: { ...store.pageTickets, add } },
			passwordAlgorithm: INSTANT_PASSWORDS,
		})
		const ada = await racing.setUp()
		expect((await racing.ask('POST', '/api/session/page-ticket', { token: ada.web, body: {} })).status).toBe(401)
		expect(racing.logged).not.toHaveBeenCalled()
		await racing.close()
		rmSync(dataDir, { recursive: true, force: true })
	})
})

it('a flood of sign-ins is told to wait, and does not take the machine', async () => {
	let running = 0
	let most = 0
	const releases: (() => void)[] = []
	const slow = async () => {
		most = Math.max(most, ++running)
		await new Promise<void>((resolve) => releases.push(resolve))
		running--
		return false
	}
	const relay = await createFixture({ passwordAlgorithm: { hash: async () => 'hash', verify: slow } })
	const answers = Array.from({ length: 100 }, (_, index) => {
		relay.address.current = `198.51.100.${index}`
		return relay.ask('POST', '/api/cli/login', {
			body: { email: `u${index}@example.org`, password: 'whatever', device_name: 'x' },
		})
	})
	const drain = setInterval(() => releases.shift()?.(), 1)
	const statuses = (await Promise.all(answers)).map((answer) => answer.status)
	clearInterval(drain)
	expect(most).toBe(2)
	expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0)
	expect(statuses.every((status) => status === 429 || status === 401)).toBe(true)
	await relay.close()
})
