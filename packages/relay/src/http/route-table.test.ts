/**
 * Every route for every kind of principal, and for objects of somebody else. The list of routes is the app's own: one
 * that nobody entered here fails.
 */
import { parseToken } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import type { Ask, Fixture } from './api.fixture.ts'
import { connectionInfo, createFixture, INSTANT_PASSWORDS, newMachine, ORIGIN, OWNER } from './api.fixture.ts'

const PRINCIPALS = [
	'none',
	'cookie',
	'web',
	'cli',
	'pat_all',
	'pat_read',
	'pat_open',
	'enrol',
	'page_ticket',
	'other_user',
] as const
type PrincipalKind = (typeof PRINCIPALS)[number]
type Statuses = Readonly<Record<PrincipalKind, number>>

/** What the request is about, made anew for each cell. Everything belongs to the owner. */
interface Objects {
	readonly nodeId: string
	readonly patId: string
	readonly enrolTokenId: string
	readonly sessionId: string
	readonly freshEnrolToken: string
}

interface Row {
	readonly path?: (objects: Objects) => string
	readonly body?: (objects: Objects) => unknown
	readonly statuses: Statuses
}

const everybody = (status: number): Statuses => statuses({}, status)
function statuses(some: Partial<Statuses>, others = 401): Statuses {
	const all = PRINCIPALS.map((kind) => [kind, some[kind] ?? others] as const)
	// Safe: one entry for each member of the union.
	return Object.fromEntries(all) as unknown as Statuses
}

/** Bearer of any kind with the scope. */
const reading = (status: number) =>
	statuses({ web: status, cli: status, pat_all: status, pat_read: status, pat_open: 403, other_user: status })
/** People only; a PAT is known but not allowed. */
const people = (status: number, otherUser = status) =>
	statuses({ web: status, cli: status, pat_all: 403, pat_read: 403, pat_open: 403, other_user: otherUser })
const anyBearer = (status: number) =>
	statuses({ web: status, cli: status, pat_all: status, pat_read: status, pat_open: status, other_user: status })
const NOT_THERE = everybody(404)
/** The cookie's routes look at nothing but the cookie: a bearer token is no sign-in. */
const cookieOnly = (status: number) => statuses({ cookie: status })

const TABLE: Readonly<Record<string, Row>> = {
	'GET /healthz': { statuses: everybody(200) },
	'GET /readyz': { statuses: everybody(200) },
	'GET /version': { statuses: everybody(200) },
	'GET /api/info': { statuses: everybody(200) },
	'POST /api/setup': { body: () => ({ setup_secret: 'wrong', ...OWNER }), statuses: everybody(409) },
	'POST /api/auth/sign-in/email': { body: () => ({ email: OWNER.email, password: OWNER.password }), statuses: everybody(200) },
	'POST /api/auth/sign-out': { statuses: everybody(200) },
	'POST /api/auth/change-password': {
		body: () => ({ currentPassword: OWNER.password, newPassword: 'another long password' }),
		statuses: cookieOnly(200),
	},
	'POST /api/session/token': { body: () => ({}), statuses: cookieOnly(200) },
	'POST /api/session/page-ticket': {
		body: () => ({}),
		statuses: statuses({ web: 200, cli: 403, pat_all: 403, pat_read: 403, pat_open: 403, other_user: 200 }),
	},
	'POST /api/cli/login': {
		body: () => ({ email: OWNER.email, password: OWNER.password, device_name: 'laptop' }),
		statuses: everybody(200),
	},
	'GET /api/session': { statuses: anyBearer(200) },
	'DELETE /api/session': { statuses: anyBearer(204) },
	'PATCH /api/account': { body: () => ({ username: 'Grace' }), statuses: people(200) },
	'GET /api/access-sessions': { statuses: people(200) },
	'DELETE /api/access-sessions/:id': {
		path: ({ sessionId }) => `/api/access-sessions/${sessionId}`,
		statuses: people(204, 404),
	},
	'GET /api/tokens': { statuses: people(200) },
	'POST /api/tokens': { body: () => ({ name: 'a token', scopes: ['nodes:read'] }), statuses: people(201) },
	'DELETE /api/tokens/:id': { path: ({ patId }) => `/api/tokens/${patId}`, statuses: people(204, 404) },
	'POST /api/enrol-tokens': { body: () => ({}), statuses: people(201) },
	'DELETE /api/enrol-tokens/:id': { path: ({ enrolTokenId }) => `/api/enrol-tokens/${enrolTokenId}`, statuses: people(204, 404) },
	'GET /api/nodes': { statuses: reading(200) },
	'PATCH /api/nodes/:id': {
		path: ({ nodeId }) => `/api/nodes/${nodeId}`,
		body: () => ({ name: 'renamed' }),
		statuses: people(200, 404),
	},
	'DELETE /api/nodes/:id': { path: ({ nodeId }) => `/api/nodes/${nodeId}`, statuses: people(204, 404) },
	// The token is in the body: who else is asking makes no difference.
	'POST /api/nodes/enrol': {
		body: ({ freshEnrolToken }) => newMachine().enrolBody(freshEnrolToken),
		statuses: everybody(200),
	},
	'GET /v1/streams/nodes': { statuses: reading(200) },
	'GET /api/connections': { statuses: reading(200) },
	'DELETE /api/connections/:id': { path: () => '/api/connections/link-of-ada', statuses: people(204, 404) },
	'GET /stats': { statuses: reading(200) },
	'GET /api/*': { path: () => '/api/no-such-thing', statuses: NOT_THERE },
	'GET /v1/*': { path: () => '/v1/no-such-thing', statuses: NOT_THERE },
}

interface People {
	readonly ada: { readonly web: string; readonly cookie: string }
	readonly bob: { readonly web: string }
}

async function askAs(relay: Fixture, kind: PrincipalKind, { ada, bob }: People): Promise<Ask> {
	switch (kind) {
		case 'none':
			return {}
		case 'cookie':
			return { cookie: ada.cookie }
		case 'web':
			return { token: ada.web }
		case 'cli':
			return { token: await relay.cliLogin() }
		case 'pat_all':
			return { token: await relay.pat(ada.web, ['nodes:read', 'nodes:open', 'nodes:enrol']) }
		case 'pat_read':
			return { token: await relay.pat(ada.web, ['nodes:read']) }
		case 'pat_open':
			return { token: await relay.pat(ada.web, ['nodes:open', 'nodes:enrol']) }
		case 'enrol':
			return { token: await relay.enrolToken(ada.web) }
		case 'page_ticket': {
			const answer = await relay.ask('POST', '/api/session/page-ticket', { token: ada.web, body: {} })
			return { token: String((await answer.json()).page_ticket) }
		}
		case 'other_user':
			return { token: bob.web }
	}
}

const idOf = (token: string) => {
	const parsed = parseToken(token)
	if (!parsed.ok) throw new Error('not a token')
	return parsed.value.id
}

async function makeObjects(relay: Fixture, { ada }: People): Promise<Objects> {
	const { user } = await (await relay.ask('GET', '/api/session', { token: ada.web })).json()
	const node = await relay.enrol(await relay.enrolToken(ada.web))
	relay.connections.push({ info: connectionInfo('link-of-ada', user, node.node_id), nodeId: node.node_id, nodeOwnerId: user.id })
	return {
		nodeId: node.node_id,
		patId: idOf(await relay.pat(ada.web, ['nodes:read'])),
		enrolTokenId: idOf(await relay.enrolToken(ada.web)),
		sessionId: idOf(await relay.cliLogin()),
		freshEnrolToken: await relay.enrolToken(ada.web),
	}
}

async function statusOf(route: string, row: Row, kind: PrincipalKind): Promise<number> {
	const relay = await createFixture({ passwordAlgorithm: INSTANT_PASSWORDS })
	try {
		const people = { ada: await relay.setUp(), bob: await relay.addUser('bob@example.org') }
		const objects = await makeObjects(relay, people)
		const [method = '', pattern = ''] = route.split(' ')
		const answer = await relay.ask(method, row.path?.(objects) ?? pattern, {
			...(await askAs(relay, kind, people)),
			...(row.body === undefined ? {} : { body: row.body(objects) }),
			// Of the page itself, so that only the credential decides.
			origin: ORIGIN,
			headers: { 'x-sallyport-csrf': '1' },
		})
		if (answer.status >= 400)
			expect(await answer.json()).toMatchObject({ error: { code: expect.any(String), message: expect.any(String) } })
		expect(answer.headers.get('cache-control')).toBe('no-store')
		expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
		return answer.status
	} finally {
		await relay.close()
	}
}

describe('every route', () => {
	it('has a row in the table, and every row a route', async () => {
		const relay = await createFixture()
		const routes = relay.app.routes.map(({ method, path }) => `${method === 'ALL' ? 'GET' : method} ${path}`)
		// Middleware for single paths comes as ALL too; its path is that of a GET route.
		expect([...new Set(routes)].sort()).toEqual(Object.keys(TABLE).sort())
		await relay.close()
	})

	for (const [route, row] of Object.entries(TABLE)) {
		it(`${route} answers each kind of principal as its row says`, async () => {
			const found = Object.fromEntries(
				await Promise.all(PRINCIPALS.map(async (kind) => [kind, await statusOf(route, row, kind)])),
			)
			expect(found).toEqual(row.statuses)
		})
	}
})
