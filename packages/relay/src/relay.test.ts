import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeIdFromHash, nodeIdInput, parseServerMessage, signingInput } from '@sallyport/protocol'
import { dialWebSocket } from '@sallyport/transport/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Talker } from '../test/edge-rig.ts'
import { parseRelayConfig } from './config.ts'
import type { Relay } from './relay.ts'
import { createRelay } from './relay.ts'

let folder: string
const relays: Relay[] = []
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'sallyport-relay-'))
})
afterEach(async () => {
	for (const relay of relays.splice(0)) await relay.close()
	rmSync(folder, { recursive: true, force: true })
})

async function start(env: Record<string, string> = {}, deps: { pageDirectory?: string } = {}): Promise<Relay> {
	const config = parseRelayConfig({ env: { PORT: '0', DATA_DIR: join(folder, 'data'), ...env } })
	if (!config.ok) throw new Error(config.problems.join('\n'))
	const relay = await createRelay({ version: '0.0.0-test', ...deps }, config.value)
	relays.push(relay)
	return relay
}

async function post(relay: Relay, path: string, body: unknown, token?: string): Promise<Record<string, unknown>> {
	const response = await fetch(relay.url + path, {
		method: 'POST',
		headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
		body: JSON.stringify(body),
	})
	const answer: unknown = await response.json()
	expect({ status: response.status, answer }).toMatchObject({ status: expect.toSatisfy((status: number) => status < 300) })
	return typeof answer === 'object' && answer !== null ? { ...answer } : {}
}

/** The owner's account and a token of the CLI's kind. */
async function setUp(relay: Relay): Promise<string> {
	const account = { email: 'ann@example.org', password: 'correct horse battery staple' }
	await post(relay, '/api/setup', { ...account, username: 'ann', setup_secret: relay.setup?.setupSecret })
	return String((await post(relay, '/api/cli/login', { ...account, device_name: 'test' }))['token'])
}

async function enrol(relay: Relay, token: string) {
	const { publicKey, privateKey } = generateKeyPairSync('ed25519')
	const identityKey = new Uint8Array(Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'))
	const enrolment = await post(relay, '/api/enrol-tokens', {}, token)
	const timestampMs = Date.now()
	const act = {
		purpose: 'enrol',
		origin: relay.origin,
		tokenId: String(enrolment['token_id']),
		identityKey,
		timestampMs,
	} as const
	await post(relay, '/api/nodes/enrol', {
		token: enrolment['token'],
		name: 'box',
		identity_key: Buffer.from(identityKey).toString('base64url'),
		signature: sign(null, signingInput(act), privateKey).toString('base64url'),
		timestamp: timestampMs,
		hostname: 'box.local',
		os: 'linux',
		agent_version: '0.1.0',
	})
	return { id: nodeIdFromHash(createHash('sha256').update(nodeIdInput(identityKey)).digest()), privateKey }
}

async function talk(relay: Relay, path: string): Promise<Talker> {
	return new Talker(await dialWebSocket(relay.url.replace('http', 'ws') + path))
}

async function connectAgent(relay: Relay, node: Awaited<ReturnType<typeof enrol>>): Promise<Talker> {
	const agent = await talk(relay, '/api/nodes/ws')
	const first = parseServerMessage(await agent.nextText())
	if (!first.ok || first.value.op !== 'auth_required') throw new Error('no challenge came')
	const act = {
		purpose: 'node_auth',
		challenge: first.value.challenge,
		origin: relay.origin,
		relayId: relay.relayId,
		nodeId: node.id,
	} as const
	agent.send({
		op: 'hello',
		version: 1,
		node_id: node.id,
		signature: new Uint8Array(sign(null, signingInput(act), node.privateKey)),
		hostname: 'box.local',
		os: 'linux',
		agent_version: '0.1.0',
	})
	expect(JSON.parse(await agent.nextText())).toMatchObject({ op: 'hello_ok', name: 'box', owner: { name: 'ann' } })
	return agent
}

describe('a whole relay', () => {
	it('goes from first run to a link, and says all of it on its HTTP interface', async () => {
		const relay = await start()
		const token = await setUp(relay)
		const node = await enrol(relay, token)
		const agent = await connectAgent(relay, node)
		const client = await talk(relay, '/api/web/ws')
		await client.nextText()
		client.send({ op: 'hello', version: 1, token, open: { node_id: node.id } })
		await client.nextText()
		const dial = JSON.parse(await agent.nextText())
		expect(dial).toMatchObject({ op: 'dial', origin: relay.origin, user: { name: 'ann' }, client_address: '127.0.0.1' })
		const back = await talk(relay, '/api/nodes/link')
		await back.nextText()
		back.send({ op: 'hello', version: 1, link_ticket: dial.link_ticket })
		expect(JSON.parse(await client.nextText())).toEqual({ op: 'opened' })
		const headers = { authorization: `Bearer ${token}` }
		const nodes = await (await fetch(`${relay.url}/api/nodes`, { headers })).json()
		expect(nodes).toMatchObject({ nodes: [{ name: 'box', connected: true, links: 1 }] })
		const connections = await (await fetch(`${relay.url}/api/connections`, { headers })).json()
		expect(connections).toMatchObject({ connections: [{ node_name: 'box', client_kind: 'cli' }] })
		const stream = await fetch(`${relay.url}/v1/streams/nodes?offset=-1`, { headers })
		expect(await stream.json()).toMatchObject([{ type: 'reset' }, { type: 'node', node: { name: 'box', connected: true } }])
	})

	it('tells everyone that it restarts, keeps its identity, and remembers that the node was there', async () => {
		const first = await start()
		const token = await setUp(first)
		const node = await enrol(first, token)
		const agent = await connectAgent(first, node)
		await first.close()
		expect((await agent.closed()).code).toBe(1012)
		const second = await start()
		expect([second.relayId, second.setup]).toEqual([first.relayId, undefined])
		const nodes = await (await fetch(`${second.url}/api/nodes`, { headers: { authorization: `Bearer ${token}` } })).json()
		expect(nodes).toMatchObject({ nodes: [{ connected: false, offline_reason: 'relay_restarting' }] })
	})

	it('stops within two seconds even when a reader has stopped in the middle of a flood', async () => {
		const relay = await start()
		const token = await setUp(relay)
		const node = await enrol(relay, token)
		const agent = await connectAgent(relay, node)
		const client = await talk(relay, '/api/web/ws')
		await client.nextText()
		client.send({ op: 'hello', version: 1, token, open: { node_id: node.id } })
		const back = await talk(relay, '/api/nodes/link')
		await back.nextText()
		back.send({ op: 'hello', version: 1, link_ticket: JSON.parse(await agent.nextText()).link_ticket })
		await back.nextText()
		await client.until(() => client.texts.length === 3)
		client.socket.pause()
		for (let index = 0; index < 500; index++) back.socket.sendBinary(new Uint8Array(60_000))
		back.socket.terminate()
		await back.closed()
		const since = performance.now()
		await relay.close()
		expect(performance.now() - since).toBeLessThan(2000)
		client.socket.terminate()
	})

	it('ends the sockets of a session that is signed out within a second', async () => {
		const relay = await start()
		const token = await setUp(relay)
		const client = await talk(relay, '/api/web/ws')
		await client.nextText()
		client.send({ op: 'hello', version: 1, token })
		await client.nextText()
		const since = performance.now()
		await fetch(`${relay.url}/api/session`, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } })
		expect((await client.refusedWith()).code).toBe(4401)
		expect(performance.now() - since).toBeLessThan(1000)
	})

	it('streams changes over HTTP until the reader leaves, whose place is free then', async () => {
		const relay = await start({ SOCKETS_PER_USER: '1' })
		const token = await setUp(relay)
		const headers = { authorization: `Bearer ${token}` }
		const url = `${relay.url}/v1/streams/nodes?offset=-1&live=sse`
		const leaver = new AbortController()
		const live = await fetch(url, { headers, signal: leaver.signal })
		expect(live.headers.get('content-type')).toBe('text/event-stream')
		const body = live.body?.pipeThrough(new TextDecoderStream()).getReader()
		expect((await body?.read())?.value).toContain('event: data\ndata: [{"type":"reset"}]')
		const node = await enrol(relay, token)
		expect((await body?.read())?.value).toContain('"connected":false')
		await connectAgent(relay, node)
		expect((await body?.read())?.value).toContain('"connected":true')
		expect((await fetch(url, { headers })).status).toBe(429)
		leaver.abort()
		await expect.poll(async () => (await fetch(url, { headers, signal: AbortSignal.timeout(1000) })).status).toBe(200)
	})

	it('refuses requests under foreign host names, but for its health', async () => {
		const relay = await start()
		const status = (path: string): Promise<number | undefined> =>
			new Promise((resolve, reject) => {
				const { hostname, port } = new URL(relay.url)
				get({ hostname, port, path, headers: { host: 'evil.example' } }, (response) => {
					response.resume()
					resolve(response.statusCode)
				}).on('error', reject)
			})
		expect(await Promise.all(['/api/info', '/', '/stats', '/healthz', '/version'].map(status))).toEqual([421, 421, 421, 200, 200])
	})

	it('says in one sentence that its port is taken or its folder not to be written', async () => {
		const relay = await start()
		await expect(start({ PORT: String(relay.port), DATA_DIR: join(folder, 'other') })).rejects.toMatchObject({
			code: 'PORT_TAKEN',
			message: `port ${relay.port} on 127.0.0.1 is taken by another program; stop it, or choose another port with PORT`,
		})
		writeFileSync(join(folder, 'file'), '')
		await expect(start({ DATA_DIR: join(folder, 'file', 'below') })).rejects.toMatchObject({ code: 'STORE_NOT_WRITABLE' })
		await expect(start({ DATA_DIR: join(folder, 'data') })).rejects.toMatchObject({ code: 'STORE_IN_USE' })
	})

	it('serves the page below a path prefix, with its policy, and refuses foreign hosts', async () => {
		const pageDirectory = join(folder, 'page')
		mkdirSync(join(pageDirectory, 'assets'), { recursive: true })
		writeFileSync(join(pageDirectory, 'index.html'), '<!doctype html><head><title>x</title></head>')
		writeFileSync(join(pageDirectory, 'assets', 'index-abcdef12.js'), 'export {}')
		const plain = await start({ DATA_DIR: join(folder, 'first') }, { pageDirectory })
		await plain.close()
		const relay = await start({ PORT: String(plain.port), PUBLIC_URL: `http://127.0.0.1:${plain.port}/sally` }, { pageDirectory })
		const index = await fetch(`${relay.url}/nodes/some`)
		expect(await index.text()).toContain('<base href="/sally/">')
		expect(index.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
		const asset = await fetch(`${relay.url}/assets/index-abcdef12.js`)
		expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
		expect((await fetch(`${relay.url}/assets/other-abcdef12.js`)).status).toBe(404)
		expect((await fetch(`${relay.url}/version`)).status).toBe(200)
		expect(await (await fetch(`${relay.url}/api/info`)).json()).toMatchObject({ setup_needed: true })
		const socket = await talk(relay, '/api/web/ws')
		expect(JSON.parse(await socket.nextText())).toMatchObject({ op: 'auth_required' })
		socket.socket.terminate()
	})
})
