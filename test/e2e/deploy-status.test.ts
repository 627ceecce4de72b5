/** What a relay tells of itself and of machines, to whom, how soon, and what a backup of it is worth. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { createWorld, OWNER, ownerToken, type World } from './cli-world.ts'
import { createHome, sally, startRelay, startSally, useScope, waitFor, within } from './harness/index.ts'

const scope = useScope()
const CLOSED = ['/stats', '/api/nodes', '/api/connections', '/v1/streams/nodes?offset=-1']
let world: World
let token: string

beforeAll(async () => {
	world = await createWorld(scope)
	token = await ownerToken(world.up.origin)
})

const ask = (path: string, bearer?: string, init: RequestInit = {}) =>
	fetch(world.up.origin + path, {
		...init,
		headers: { 'content-type': 'application/json', ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }) },
	})

describe('status', () => {
	it.each(['/healthz', '/readyz', '/version'])('is open to anybody at %s', async (path) => {
		expect((await ask(path)).status).toBe(200)
	})

	it.each(CLOSED)('needs a user at %s, and one who may read machines', async (path) => {
		expect((await ask(path)).status).toBe(401)
		const made = await ask('/api/tokens', token, {
			method: 'POST',
			body: JSON.stringify({ name: 'blind', scopes: ['nodes:enrol'] }),
		})
		const { token: blind } = (await made.json()) as { token: string }
		expect((await ask(path, blind)).status).toBe(403)
		expect((await ask(path, token)).status).toBe(200)
	})

	it('tells heartbeat and figures of a machine, and the links that are open', async () => {
		const open = startSally(scope, world.laptop, ['exec', world.node.name, '--', 'cat'])
		open.write('here\n')
		await open.waitForOutput(/here/)
		const node = await waitFor('the machine’s first figures', async () => {
			const { nodes } = (await (await ask('/api/nodes', token)).json()) as { nodes: Record<string, unknown>[] }
			return nodes[0]?.['stats'] !== undefined && nodes[0]
		})
		expect(node).toMatchObject({ id: world.node.id, connected: true, links: 1 })
		expect(node['stats']).toMatchObject({
			load1: expect.any(Number),
			memory_total: expect.any(Number),
			uptime_s: expect.any(Number),
		})
		const { connections } = (await (await ask('/api/connections', token)).json()) as { connections: unknown[] }
		expect(connections).toHaveLength(1)
		expect(await (await ask('/stats', token)).json()).toMatchObject({ nodes_total: 1, nodes_connected: 1, links_open: 1 })
		open.endInput()
		await open.exited
	})

	it('tells a change on the live stream within a second', async () => {
		const abort = new AbortController()
		const live = await ask('/v1/streams/nodes?offset=now&live=sse', token, { signal: abort.signal })
		expect(live.headers.get('content-type')).toContain('text/event-stream')
		let text = ''
		const reading = (async () => {
			for await (const chunk of live.body ?? []) {
				text += Buffer.from(chunk).toString()
				if (text.includes('new-name')) return performance.now()
			}
			throw new Error(`the stream ended: ${text}`)
		})()
		const startedMs = performance.now()
		await ask(`/api/nodes/${world.node.id}`, token, { method: 'PATCH', body: JSON.stringify({ name: 'new-name' }) })
		const tookMs = (await within('the change', reading)) - startedMs
		abort.abort()
		console.info(`the change came ${Math.round(tookMs)} ms after it was asked for`)
		expect(tookMs).toBeLessThan(3_000)
	})
})

describe('a backup', () => {
	it('is the data folder: what is restored from it knows the owner and the machines', async () => {
		const restored = createHome(scope, 'restored')
		expect(await world.up.child.stop()).toEqual({ status: 0, signal: null })
		cpSync(join(world.up.home.folder, 'data/sallyport/relay'), join(restored.folder, 'data/sallyport/relay'), { recursive: true })
		const relay = await startRelay(scope, restored)
		expect(relay.setupSecret).toBe('')
		const home = createHome(scope, 'after')
		const login = ['login', relay.url, '--email', OWNER.email, '--password-stdin']
		expect(await sally(scope, home, login, { input: OWNER.password })).toMatchObject({ status: 0 })
		expect((await sally(scope, home, ['nodes'])).stdout).toMatch(/new-name +offline/)
		await sally(scope, home, ['logout'])
	})
})
