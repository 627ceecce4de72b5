import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hashToken } from '../identity/token-text.ts'
import type { Fixture } from './api.fixture.ts'
import { createFixture, INSTANT_PASSWORDS, newMachine, ORIGIN, OWNER } from './api.fixture.ts'

let relay: Fixture
let ada: Awaited<ReturnType<Fixture['setUp']>>
beforeEach(async () => {
	relay = await createFixture({ passwordAlgorithm: INSTANT_PASSWORDS })
	ada = await relay.setUp()
})
afterEach(() => relay.close())

const codeOf = async (answer: Response) => (await answer.json()).error.code

describe('bodies', () => {
	it.each([
		['that is not json', '{"name"', 'bad_request', 400],
		['of the wrong shape', '{"name":7}', 'bad_request', 400],
		['nested too deep', `{"name":${'['.repeat(20)}${']'.repeat(20)}}`, 'bad_request', 400],
		['that is too large', `{"name":"${'x'.repeat(65 * 1024)}"}`, 'too_large', 413],
	])('%s are refused', async (_name, body, code, status) => {
		const answer = await relay.ask('POST', '/api/enrol-tokens', { token: ada.web, body })
		expect(answer.status).toBe(status)
		expect(await codeOf(answer)).toBe(code)
	})

	it('without a declared length are cut off where they grow too large', async () => {
		let sent = 0
		const endless = new ReadableStream({
			pull(controller) {
				sent += 1024
				controller.enqueue(new Uint8Array(1024))
			},
		})
		const answer = await relay.app.request(`${ORIGIN}/api/cli/login`, {
			method: 'POST',
			body: endless,
			headers: { 'content-type': 'application/json' },
			...{ duplex: 'half' },
		})
		expect(answer.status).toBe(413)
		expect(sent).toBeLessThan(80 * 1024)
	})

	it('that a form could send are refused', async () => {
		const answer = await relay.ask('POST', '/api/cli/login', {
			body: JSON.stringify({ email: OWNER.email, password: OWNER.password, device_name: 'x' }),
			headers: { 'content-type': 'text/plain' },
		})
		expect(answer.status).toBe(400)
	})

	it('do not get their values into the error', async () => {
		const answer = await relay.ask('POST', '/api/cli/login', { body: { email: 'not-an-address', password: 'hunter2hunter2' } })
		const text = await answer.text()
		expect(text).toContain('email')
		expect(text).not.toContain('hunter2')
	})
})

describe('tokens on requests', () => {
	it('are refused in the query', async () => {
		expect((await relay.ask('GET', `/api/session?token=${ada.web}&access_token=${ada.web}`)).status).toBe(401)
	})

	it('are limited when they are wrong, and good ones from there are not', async () => {
		const wrong = `${ada.web.slice(0, -1)}${ada.web.endsWith('0') ? '1' : '0'}`
		for (let index = 0; index < 50; index++) expect((await relay.ask('GET', '/api/session', { token: wrong })).status).toBe(401)
		const answer = await relay.ask('GET', '/api/session', { token: wrong })
		expect(answer.status).toBe(429)
		expect((await relay.ask('GET', '/api/session', { token: ada.web })).status).toBe(200)
	})

	it('answer 503, and nothing is let in, while the database is away', async () => {
		await relay.store.close()
		const answer = await relay.ask('GET', '/api/session', { token: ada.web })
		expect(answer.status).toBe(503)
		expect(await codeOf(answer)).toBe('unavailable')
		expect((await relay.ask('GET', '/readyz')).status).toBe(503)
		expect((await relay.ask('GET', '/healthz')).status).toBe(200)
		const login = await relay.ask('POST', '/api/cli/login', {
			body: { email: OWNER.email, password: OWNER.password, device_name: 'x' },
		})
		expect(login.status).toBe(503)
	})
})

describe('personal access tokens', () => {
	it('are shown once and kept as a hash', async () => {
		const pat = await relay.pat(ada.web, ['nodes:read'])
		const listed = await (await relay.ask('GET', '/api/tokens', { token: ada.web })).text()
		expect(listed).not.toContain(pat)
		const rows = await relay.store.db.selectFrom('pat_tokens').selectAll().execute()
		expect(JSON.stringify(rows)).not.toContain(pat.slice(-49))
		const session = await (await relay.ask('GET', '/api/session', { token: pat })).json()
		expect(session).toMatchObject({ kind: 'pat', scopes: ['nodes:read'], user: { email: OWNER.email } })
	})

	it('last ninety days unless told otherwise, and 366 at most', async () => {
		const make = (body: object) =>
			relay.ask('POST', '/api/tokens', { token: ada.web, body: { name: 'x', scopes: ['nodes:read'], ...body } })
		const { info } = await (await make({})).json()
		expect(info.expires_at - info.created_at).toBe(90 * 24 * 60 * 60 * 1000)
		expect((await make({ expires_in_days: 366 })).status).toBe(201)
		for (const expires_in_days of [367, 0, -1, 1.5, '90']) expect((await make({ expires_in_days })).status).toBe(400)
		for (const scopes of [[], ['everything'], 'nodes:read']) expect((await make({ scopes })).status).toBe(400)
	})
})

describe('enrolment', () => {
	const post = (body: unknown) => relay.ask('POST', '/api/nodes/enrol', { body })

	it('takes one of twenty machines that use one token at once', async () => {
		const token = await relay.enrolToken(ada.web)
		const answers = await Promise.all(Array.from({ length: 20 }, () => post(newMachine().enrolBody(token))))
		expect(answers.map((answer) => answer.status).sort((left, right) => left - right)).toEqual([
			200,
			...Array.from({ length: 19 }, () => 401),
		])
		const refused = answers.find((answer) => answer.status === 401)
		expect(refused === undefined ? '' : await codeOf(refused)).toBe('token_invalid')
	})

	it('answers one machine the same when it repeats', async () => {
		const token = await relay.enrolToken(ada.web)
		const machine = newMachine()
		const answers = await Promise.all(Array.from({ length: 5 }, async () => (await post(machine.enrolBody(token))).json()))
		expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
		expect(answers[0]).toMatchObject({ node_id: machine.nodeId, name: 'machine', origin: ORIGIN, owner: { username: 'Ada' } })
	})

	it('holds for the names under which the relay is dialled, and for no other', async () => {
		const token = await relay.enrolToken(ada.web)
		const machine = newMachine()
		const foreign = await post(machine.enrolBody(token, { origin: 'https://other-relay.example' }))
		expect(foreign.status).toBe(400)
		expect((await post(machine.enrolBody(token, { origin: 'http://127.0.0.1:8080' }))).status).toBe(200)
	})

	it('is refused with a signature for another token, of another key, or of another time', async () => {
		const token = await relay.enrolToken(ada.web)
		const [machine, other] = [newMachine(), newMachine()]
		const forAnotherToken = machine.enrolBody(token, { tokenId: 'AAAAAAAAAAAA' })
		const ofAnotherKey = { ...machine.enrolBody(token), signature: other.enrolBody(token).signature }
		const withAnotherTime = { ...machine.enrolBody(token), timestamp: Date.now() - 5000 }
		for (const body of [forAnotherToken, ofAnotherKey, withAnotherTime]) {
			const answer = await post(body)
			expect(answer.status).toBe(400)
			expect((await answer.json()).error.message).toMatch(/signature/)
		}
		expect((await post(machine.enrolBody(token))).status).toBe(200)
	})

	it('tells a machine whose clock is wrong what to do', async () => {
		const token = await relay.enrolToken(ada.web)
		for (const off of [-11, 11]) {
			const answer = await post(newMachine().enrolBody(token, { timestampMs: Date.now() + off * 60_000 }))
			expect(answer.status).toBe(400)
			expect((await answer.json()).error.message).toMatch(/clock/)
		}
	})

	it('takes several machines by one access token with the scope, and none without', async () => {
		const pat = await relay.pat(ada.web, ['nodes:enrol'])
		const names = [(await relay.enrol(pat)).name, (await relay.enrol(pat)).name]
		expect(names).toEqual(['machine', 'machine-2'])
		const without = await relay.pat(ada.web, ['nodes:read', 'nodes:open'])
		expect((await post(newMachine().enrolBody(without))).status).toBe(401)
	})

	it.each(['web', 'cli', 'page_ticket'] as const)('is refused with a token of kind %s', async (kind) => {
		const tokens = {
			web: ada.web,
			cli: await relay.cliLogin(),
			page_ticket: (await (await relay.ask('POST', '/api/session/page-ticket', { token: ada.web, body: {} })).json()).page_ticket,
		}
		const answer = await post(newMachine().enrolBody(tokens[kind]))
		expect(answer.status).toBe(401)
		expect(await codeOf(answer)).toBe('token_invalid')
	})

	it('refuses a machine of another user, and takes it once it was removed', async () => {
		const bob = await relay.addUser('bob@example.org')
		const { machine, node_id } = await relay.enrol(await relay.enrolToken(ada.web))
		const token = await relay.enrolToken(bob.web)
		expect((await post(machine.enrolBody(token))).status).toBe(409)
		expect((await relay.ask('DELETE', `/api/nodes/${node_id}`, { token: ada.web })).status).toBe(204)
		expect(await (await post(machine.enrolBody(token))).json()).toMatchObject({ owner: { username: 'bob@example.org' } })
	})

	it('keeps control characters out of names and of what a machine says of itself', async () => {
		const body = newMachine().enrolBody(await relay.enrolToken(ada.web))
		for (const field of ['name', 'hostname', 'os', 'agent_version'])
			for (const text of ['evil\u001b]0;title\u0007', 'nul\0', 'two\nlines'])
				expect((await post({ ...body, [field]: text })).status).toBe(400)
		expect((await post(body)).status).toBe(200)
	})

	it('leaves no token, password or secret in the log, whatever fails', async () => {
		const secrets = [ada.web, await relay.cliLogin(), await relay.enrolToken(ada.web), OWNER.password, ada.cookie]
		for (const table of ['page_tickets', 'access_sessions', 'nodes', 'pat_tokens'] as const)
			await relay.store.db.schema.dropTable(table).execute()
		const [web = '', cli = '', enrol = ''] = secrets
		await relay.ask('GET', '/api/session', { token: web })
		await relay.ask('GET', '/api/tokens', { token: cli })
		await relay.ask('POST', '/api/nodes/enrol', { body: newMachine().enrolBody(enrol) })
		await relay.ask('POST', '/api/cli/login', { body: { email: OWNER.email, password: OWNER.password, device_name: 'x' } })
		await relay.ask('POST', '/api/session/token', { cookie: ada.cookie, origin: ORIGIN, headers: { 'x-sallyport-csrf': '1' } })
		const lines = inspect(relay.logged.mock.calls, { depth: 10, maxStringLength: null })
		expect(relay.logged.mock.calls.length).toBeGreaterThanOrEqual(3)
		for (const secret of secrets) expect(lines).not.toContain(secret)
		expect(lines).not.toContain(hashToken(web))
	})
})

describe('origins', () => {
	it('that are listed may call with a bearer token, without credentials', async () => {
		const answer = await relay.ask('GET', '/api/session', { token: ada.web, origin: 'https://listed.example' })
		expect(answer.headers.get('access-control-allow-origin')).toBe('https://listed.example')
		expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
		const preflight = await relay.ask('OPTIONS', '/api/nodes', {
			origin: 'https://listed.example',
			headers: { 'access-control-request-method': 'GET' },
		})
		expect(preflight.status).toBe(204)
		expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization, content-type')
	})

	it('that are not listed get no permission', async () => {
		for (const origin of ['https://evil.example', 'null', 'https://listed.example.evil.example']) {
			const answer = await relay.ask('OPTIONS', '/api/nodes', { origin, headers: { 'access-control-request-method': 'GET' } })
			expect(answer.headers.get('access-control-allow-origin')).toBeNull()
			expect(answer.status).toBe(404)
		}
	})
})

describe('failures', () => {
	it('that nobody foresaw are logged in full and told in general', async () => {
		await relay.store.db.schema.dropTable('page_tickets').execute()
		const answer = await relay.ask('POST', '/api/session/page-ticket', { token: ada.web, body: {} })
		expect(answer.status).toBe(500)
		expect(await answer.text()).not.toMatch(/page_tickets|sqlite/i)
		expect(relay.logged).toHaveBeenCalledWith('request failed', expect.objectContaining({ path: '/api/session/page-ticket' }))
	})

	it('name a taken name', async () => {
		await relay.enrol(await relay.enrolToken(ada.web))
		const second = await relay.enrol(await relay.enrolToken(ada.web))
		const answer = await relay.ask('PATCH', `/api/nodes/${second.node_id}`, { token: ada.web, body: { name: 'machine' } })
		expect(answer.status).toBe(409)
		expect(await codeOf(answer)).toBe('name_taken')
	})
})
