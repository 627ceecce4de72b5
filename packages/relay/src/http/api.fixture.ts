/** A relay without sockets for tests: the real store, sign-in and routes, asked as a client would ask. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConnectionInfo, NodeId } from '@sallyport/protocol'
import { bytesToBase64Url, nodeIdFromHash, nodeIdInput, parseToken, signingInput, userIdSchema } from '@sallyport/protocol'
import { hashPassword } from 'better-auth/crypto'
import * as v from 'valibot'
import { vi } from 'vitest'
import type { ControlDeps } from '../access/create-control.ts'
import { createControl } from '../access/create-control.ts'
import type { EdgeView, LiveConnection } from '../edge-view.ts'
import { openStore } from '../store/store.ts'

export const ORIGIN = 'https://relay.example'
export const OWNER = { email: 'ada@example.org', username: 'Ada', password: 'correct horse battery' }

/** Instant, where a test is about something else than passwords. */
export const INSTANT_PASSWORDS = {
	hash: async (password: string) => `instant:${password}`,
	verify: async ({ hash, password }: { readonly hash: string; readonly password: string }) => hash === `instant:${password}`,
}

export type Fixture = Awaited<ReturnType<typeof createFixture>>

export interface Ask {
	readonly token?: string
	readonly cookie?: string
	readonly body?: unknown
	readonly origin?: string
	readonly headers?: Readonly<Record<string, string>>
}

export async function createFixture(options: Partial<ControlDeps> & { readonly databaseUrl?: string } = {}) {
	const dataDir = mkdtempSync(join(tmpdir(), 'sallyport-api-'))
	const { databaseUrl } = options
	const store =
		options.store ??
		(await openStore(databaseUrl === undefined ? { kind: 'sqlite', dataDir } : { kind: 'postgres', url: databaseUrl }))
	const logged = vi.fn()
	const control = await createControl({
		store,
		authSecret: 'a secret of the test, 32 bytes and more',
		origin: ORIGIN,
		allowedOrigins: ['https://listed.example'],
		publicUrl: ORIGIN,
		dialOrigins: ['http://127.0.0.1:8080'],
		version: '1.2.3',
		log: { error: logged },
		...options,
	})
	const connections: LiveConnection[] = []
	const address = { current: '192.0.2.1' }
	const app = control.createApi({ edgeView: edgeViewOf(connections), clientAddress: () => address.current })

	const ask = async (method: string, path: string, { token, cookie, body, origin, headers }: Ask = {}) =>
		await app.request(`${ORIGIN}${path}`, {
			method,
			...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
			headers: {
				...(body === undefined ? {} : { 'content-type': 'application/json' }),
				...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
				...(cookie === undefined ? {} : { cookie }),
				...(origin === undefined ? {} : { origin }),
				...headers,
			},
		})
	const webTokenOf = async (cookie: string) => {
		const answer = await ask('POST', '/api/session/token', {
			cookie,
			origin: ORIGIN,
			headers: { 'x-sallyport-csrf': '1' },
			body: {},
		})
		const { access_token: token } = await answer.json()
		return String(token)
	}
	const signIn = async (email: string, password: string) => {
		const answer = await ask('POST', '/api/auth/sign-in/email', { body: { email, password }, origin: ORIGIN })
		if (answer.status !== 200) throw new Error(`sign-in answered ${answer.status}: ${await answer.text()}`)
		return cookieOf(answer)
	}

	return {
		app,
		ask,
		store,
		control,
		logged,
		connections,
		address,
		signIn,
		webTokenOf,
		/** Sets the relay up and signs the owner in. */
		async setUp() {
			const setup = await control.createSetup()
			if (setup === undefined) throw new Error('relay is set up already')
			const { setupSecret: setup_secret } = setup
			const answer = await ask('POST', '/api/setup', { body: { setup_secret, ...OWNER }, origin: ORIGIN })
			if (answer.status !== 200) throw new Error(`set-up answered ${answer.status}: ${await answer.text()}`)
			const cookie = cookieOf(answer)
			return { cookie, web: await webTokenOf(cookie), answer: await answer.json() }
		},
		/** A second user, who shares the owner's password but nothing else. */
		async addUser(email: string, roles: readonly ('user' | 'admin')[] = ['user']) {
			const algorithm = options.passwordAlgorithm ?? { hash: hashPassword }
			await store.users.add({ email, username: email, passwordHash: await algorithm.hash(OWNER.password), roles })
			const cookie = await signIn(email, OWNER.password)
			return { cookie, web: await webTokenOf(cookie) }
		},
		async cliLogin(email = OWNER.email, password = OWNER.password) {
			const answer = await ask('POST', '/api/cli/login', { body: { email, password, device_name: 'laptop' } })
			if (answer.status !== 200) throw new Error(`login answered ${answer.status}: ${await answer.text()}`)
			return String((await answer.json()).token)
		},
		async pat(web: string, scopes: readonly string[]) {
			const answer = await ask('POST', '/api/tokens', { token: web, body: { name: 'a token', scopes } })
			return String((await answer.json()).token)
		},
		async enrolToken(web: string) {
			const answer = await ask('POST', '/api/enrol-tokens', { token: web, body: {} })
			return String((await answer.json()).token)
		},
		async enrol(token: string, machine = newMachine(), name = 'machine') {
			const answer = await ask('POST', '/api/nodes/enrol', { body: machine.enrolBody(token, { name }) })
			if (answer.status !== 200) throw new Error(`enrolment answered ${answer.status}: ${await answer.text()}`)
			return { ...(await answer.json()), machine }
		},
		async close() {
			control.close()
			await store.close()
			rmSync(dataDir, { recursive: true, force: true })
		},
	}
}

export function cookieOf(answer: Response): string {
	return answer.headers
		.getSetCookie()
		.map((cookie) => cookie.split(';')[0])
		.join('; ')
}

/** A machine with keys of its own. */
export function newMachine() {
	const { publicKey, privateKey } = generateKeyPairSync('ed25519')
	const identityKey = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32))
	const nodeId: NodeId = nodeIdFromHash(createHash('sha256').update(nodeIdInput(identityKey)).digest())
	return {
		nodeId,
		identityKey,
		enrolBody(token: string, changes: { origin?: string; timestampMs?: number; name?: string; tokenId?: string } = {}) {
			const { origin = ORIGIN, timestampMs = Date.now(), name = 'machine' } = changes
			const parsed = parseToken(token)
			const tokenId = changes.tokenId ?? (parsed.ok ? parsed.value.id : '')
			const signature = sign(null, signingInput({ purpose: 'enrol', origin, tokenId, identityKey, timestampMs }), privateKey)
			return {
				token,
				name,
				identity_key: bytesToBase64Url(identityKey),
				signature: bytesToBase64Url(signature),
				timestamp: timestampMs,
				hostname: 'host',
				os: 'linux',
				agent_version: '1.0.0',
			}
		},
	}
}

const NOBODY = { id: v.parse(userIdSchema, 'nobody-yet'), username: '' }

/** An edge with no node connected and the links that the test puts in. */
function edgeViewOf(connections: LiveConnection[]): EdgeView {
	return {
		nodeInfo: (node, access) => ({
			id: node.id,
			name: node.name,
			owner: node.owner ?? NOBODY,
			created_at: node.createdAtMs,
			connected: false,
			offline_reason: 'never_connected',
			links: 0,
			access,
		}),
		connections: () => connections,
		closeConnection(id) {
			const index = connections.findIndex((connection) => connection.info.id === id)
			if (index >= 0) connections.splice(index, 1)
			return index >= 0
		},
		totals: () => ({ nodesConnected: 0, linksOpen: connections.length, bytesToNodes: 700, bytesToClients: 900, startedAtMs: 0 }),
		streamOffset: () => '0_0',
		streamNodes: async () => new Response('event: control\n\n', { headers: { 'content-type': 'text/event-stream' } }),
	}
}

export function connectionInfo(id: string, user: ConnectionInfo['user'], nodeId: NodeId): ConnectionInfo {
	return {
		id,
		node_id: nodeId,
		node_name: 'machine',
		user,
		client_address: '192.0.2.9',
		client_kind: 'web',
		opened_at: 1,
		bytes_to_node: 10,
		bytes_to_client: 20,
	}
}
