import type { TestPostgres } from '@sallyport/testkit/postgres'
import { startPostgres } from '@sallyport/testkit/postgres'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Principal, Revocation } from '../control-plane.ts'
import type { Fixture } from '../http/api.fixture.ts'
import { cookieOf, createFixture, INSTANT_PASSWORDS, newMachine, ORIGIN, OWNER } from '../http/api.fixture.ts'
import { newToken } from '../identity/token-text.ts'

let postgres: TestPostgres
let databases = 0
beforeAll(async () => {
	postgres = await startPostgres()
}, 60_000)
afterAll(() => postgres.stop())

const ENGINES = [
	['SQLite', () => ({})],
	['PostgreSQL', () => ({ databaseUrl: postgres.createDatabase(`control_${++databases}`) })],
] as const

describe.each(ENGINES)('the control plane on %s', (_engine, where) => {
	let relay: Fixture
	let ada: Awaited<ReturnType<Fixture['setUp']>>
	beforeEach(async () => {
		relay = await createFixture({ ...where(), passwordAlgorithm: INSTANT_PASSWORDS })
		ada = await relay.setUp()
	})
	afterEach(() => relay.close())

	const control = () => relay.control.controlPlane
	const principalOf = async (token: string): Promise<Principal> => {
		const decision = await control().authenticate(token)
		if (!decision.ok) throw new Error(decision.reason)
		return decision.value
	}
	const ticketOf = async (token: string) => {
		const answer = await relay.ask('POST', '/api/session/page-ticket', { token, body: {} })
		return String((await answer.json()).page_ticket)
	}

	it('knows who a token speaks for, and by what it stands', async () => {
		const principal = await principalOf(ada.web)
		expect(principal).toMatchObject({ kind: 'web', scopes: ['nodes:read', 'nodes:open'], user: { email: OWNER.email } })
		const month = 30 * 24 * 60 * 60 * 1000
		expect(Math.abs(principal.expiresAtMs - Date.now() - month)).toBeLessThan(60_000)
		expect(Object.keys(principal).sort()).toEqual(['credentialId', 'expiresAtMs', 'kind', 'scopes', 'user'])
	})

	it('answers unknown, revoked, forged and misplaced tokens alike', async () => {
		const pat = await relay.pat(ada.web, ['nodes:read'])
		const { tokens } = await (await relay.ask('GET', '/api/tokens', { token: ada.web })).json()
		await relay.ask('DELETE', `/api/tokens/${tokens[0].id}`, { token: ada.web })
		const bad = [
			newToken('pat').text,
			newToken('web').text,
			newToken('cli').text,
			pat,
			await relay.enrolToken(ada.web),
			await ticketOf(ada.web),
			'x',
			'',
		]
		const answers = await Promise.all(bad.map((token) => control().authenticate(token)))
		for (const answer of answers) expect(answer).toEqual(answers[0])
		expect(answers[0]).toMatchObject({ ok: false, api: 'unauthenticated', close: 'credential_expired' })
	})

	it('judges typing errors and misplaced kinds without asking the database', async () => {
		const bad = [
			`${ada.web.slice(0, -1)}!`,
			ada.web.replace(/.{6}$/, '000000'),
			newToken('enrol').text,
			newToken('link_ticket').text,
		]
		await relay.store.close()
		for (const token of bad) {
			expect(await control().authenticate(token)).toMatchObject({ api: 'unauthenticated' })
			expect(await control().redeemPageTicket(token)).toMatchObject({ api: 'unauthenticated' })
		}
	})

	it('redeems a page ticket once, of twenty tries at the same time', async () => {
		const ticket = await ticketOf(ada.web)
		const answers = await Promise.all(Array.from({ length: 20 }, () => control().redeemPageTicket(ticket)))
		expect(answers.filter((answer) => answer.ok)).toHaveLength(1)
		expect(answers.find((answer) => answer.ok)).toMatchObject({ value: { kind: 'web', user: { email: OWNER.email } } })
	})

	it('refuses a page ticket after 30 seconds, and after the sign-in ended', async () => {
		const [late, orphan] = [await ticketOf(ada.web), await ticketOf(ada.web)]
		const [row] = await relay.store.db.selectFrom('page_tickets').selectAll().orderBy('created_at').execute()
		if (row === undefined) throw new Error('there is no ticket')
		expect(row.expires_at - row.created_at).toBe(30_000)
		await relay.store.db
			.updateTable('page_tickets')
			.set({ expires_at: Date.now() - 1 })
			.where('id', '=', late.slice(16, 28))
			.execute()
		expect((await control().redeemPageTicket(late)).ok).toBe(false)
		await relay.ask('POST', '/api/auth/sign-out', { cookie: ada.cookie, origin: ORIGIN })
		expect((await control().redeemPageTicket(orphan)).ok).toBe(false)
	})

	it('opens the own node, and gives one answer for unknown, foreign and removed ones', async () => {
		const bob = await relay.addUser('bob@example.org')
		const { node_id } = await relay.enrol(await relay.enrolToken(ada.web))
		const gone = await relay.enrol(await relay.enrolToken(ada.web))
		await relay.ask('DELETE', `/api/nodes/${gone.node_id}`, { token: ada.web })
		const [adaHere, bobHere] = [await principalOf(ada.web), await principalOf(bob.web)]
		expect(await control().authorizeOpen(adaHere, node_id)).toMatchObject({ ok: true, value: { id: node_id, name: 'machine' } })
		const refused = [
			await control().authorizeOpen(bobHere, node_id),
			await control().authorizeOpen(bobHere, newMachine().nodeId),
			await control().authorizeOpen(adaHere, gone.node_id),
		]
		for (const answer of refused) expect(answer).toEqual(refused[0])
		expect(refused[0]).toMatchObject({ ok: false, api: 'not_found', close: 'not_found' })
		expect(await control().findNode(gone.node_id)).toBeUndefined()
		expect(await control().visibleNodes(bobHere)).toEqual([])
		expect(await control().visibleNodes(adaHere)).toMatchObject([{ node: { id: node_id }, access: 'admin' }])
	})

	it('opens nothing for a token without the scope, nor for one revoked since', async () => {
		const { node_id } = await relay.enrol(await relay.enrolToken(ada.web))
		const reader = await principalOf(await relay.pat(ada.web, ['nodes:read']))
		expect(await control().authorizeOpen(reader, node_id)).toMatchObject({ ok: false, api: 'forbidden' })
		const cli = await relay.cliLogin()
		const principal = await principalOf(cli)
		expect(await control().authorizeOpen(principal, node_id)).toMatchObject({ ok: true })
		await relay.ask('DELETE', '/api/session', { token: cli })
		expect(await control().authorizeOpen(principal, node_id)).toMatchObject({ ok: false, api: 'unauthenticated' })
	})

	it('counts ten new links a minute for each user, failed ones double', async () => {
		const bob = await relay.addUser('bob@example.org')
		const { node_id } = await relay.enrol(await relay.enrolToken(ada.web))
		const [adaHere, bobHere] = [await principalOf(ada.web), await principalOf(bob.web)]
		for (let index = 0; index < 10; index++) expect(await control().authorizeOpen(adaHere, node_id)).toMatchObject({ ok: true })
		expect(await control().authorizeOpen(adaHere, node_id)).toMatchObject({
			ok: false,
			api: 'rate_limited',
			close: 'rate_limited',
		})
		for (let index = 0; index < 5; index++)
			expect(await control().authorizeOpen(bobHere, node_id)).toMatchObject({ api: 'not_found' })
		expect(await control().authorizeOpen(bobHere, node_id)).toMatchObject({ ok: false, api: 'rate_limited' })
	})

	it('tells of each revocation with what it names', async () => {
		const heard: Revocation[] = []
		const changed: string[] = []
		control().onRevocation((revocation) => heard.push(revocation))
		control().onNodeChange((nodeId) => changed.push(nodeId))
		const { node_id } = await relay.enrol(await relay.enrolToken(ada.web))
		const cli = await relay.cliLogin()
		const cliId = (await principalOf(cli)).credentialId
		const signInId = (await principalOf(ada.web)).credentialId
		await relay.ask('DELETE', `/api/access-sessions/${cliId}`, { token: ada.web })
		await relay.ask('PATCH', `/api/nodes/${node_id}`, { token: ada.web, body: { name: 'renamed' } })
		await relay.ask('DELETE', `/api/nodes/${node_id}`, { token: ada.web })
		await relay.ask('DELETE', `/api/access-sessions/${signInId}`, { token: ada.web })
		expect(heard).toEqual([
			{ kind: 'credential', id: cliId },
			{ kind: 'node', id: node_id },
			{ kind: 'credential', id: signInId },
		])
		expect(changed).toEqual([node_id, node_id, node_id])
	})

	it('lets nobody in while the database is away', async () => {
		const principal = await principalOf(ada.web)
		const ticket = await ticketOf(ada.web)
		await relay.store.close()
		const unavailable = { ok: false, api: 'unavailable', close: 'relay_restarting' }
		expect(await control().authenticate(ada.web)).toMatchObject(unavailable)
		expect(await control().redeemPageTicket(ticket)).toMatchObject(unavailable)
		expect(await control().authorizeOpen(principal, newMachine().nodeId)).toMatchObject(unavailable)
	})

	it('remembers how a node came and went', async () => {
		const { node_id } = await relay.enrol(await relay.enrolToken(ada.web))
		await control().markNodeConnected(node_id, { hostname: 'new-host', os: 'linux', agentVersion: '2.0.0' })
		await control().markNodeDisconnected(node_id, true)
		expect(await control().findNode(node_id)).toMatchObject({ hostname: 'new-host', agentVersion: '2.0.0', stoppedCleanly: true })
	})
})

describe('two relays on one PostgreSQL', () => {
	let one: Fixture
	let two: Fixture
	beforeEach(async () => {
		const databaseUrl = postgres.createDatabase(`control_${++databases}`)
		one = await createFixture({ databaseUrl, passwordAlgorithm: INSTANT_PASSWORDS })
		two = await createFixture({ databaseUrl, passwordAlgorithm: INSTANT_PASSWORDS })
	})
	afterEach(async () => {
		await one.close()
		await two.close()
	})

	it('are the same relay: one id, one owner, one set of tokens', async () => {
		const ada = await one.setUp()
		expect(two.control.controlPlane.relayId).toBe(one.control.controlPlane.relayId)
		expect(await two.control.createSetup()).toBeUndefined()
		expect((await two.ask('GET', '/api/session', { token: ada.web })).status).toBe(200)
		expect((await two.ask('GET', '/api/session', { token: await two.webTokenOf(ada.cookie) })).status).toBe(200)
	})

	it('redeem a page ticket once between them', async () => {
		const ada = await one.setUp()
		const { page_ticket } = await (await one.ask('POST', '/api/session/page-ticket', { token: ada.web, body: {} })).json()
		const answers = await Promise.all(
			Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? one : two).control.controlPlane.redeemPageTicket(page_ticket)),
		)
		expect(answers.filter((answer) => answer.ok)).toHaveLength(1)
	})

	it('make one owner between them when both are asked at once', async () => {
		const [first, second] = [await one.control.createSetup(), await two.control.createSetup()]
		const ask = (relay: Fixture, setup_secret: string | undefined, email: string) =>
			relay.ask('POST', '/api/setup', { body: { setup_secret, ...OWNER, email } })
		const answers = await Promise.all(
			Array.from({ length: 10 }, (_, index) =>
				index % 2 === 0
					? ask(one, first?.setupSecret, `one${index}@example.org`)
					: ask(two, second?.setupSecret, `two${index}@example.org`),
			),
		)
		expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1)
		expect(await one.store.db.selectFrom('users').select('id').execute()).toHaveLength(1)
		const winner = answers.find((answer) => answer.status === 200)
		expect(winner === undefined ? '' : cookieOf(winner)).toMatch(/session_token/)
	})

	it('hear of a revocation of each other within a second, and refuse at once', async () => {
		const ada = await one.setUp()
		const cli = await one.cliLogin()
		const heardAt = vi.fn()
		two.control.controlPlane.onRevocation((revocation) => heardAt(revocation.id, performance.now()))
		const startedAt = performance.now()
		await one.ask('DELETE', '/api/session', { token: cli })
		expect((await two.ask('GET', '/api/session', { token: cli })).status).toBe(401)
		await vi.waitFor(() => expect(heardAt).toHaveBeenCalledOnce(), { timeout: 5000, interval: 5 })
		expect(heardAt.mock.calls[0]?.[1] - startedAt).toBeLessThan(1000)
		expect((await two.ask('GET', '/api/session', { token: ada.web })).status).toBe(200)
	})
})
