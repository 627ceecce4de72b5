import type { NodeEvent, NodeInfo } from '@sallyport/protocol'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { EdgeRig } from '../../test/edge-rig.ts'
import { createEdgeRig } from '../../test/edge-rig.ts'
import type { Principal } from '../control-plane.ts'

let rig: EdgeRig
let ann: Principal
beforeEach(async () => {
	rig = await createEdgeRig()
	ann = rig.control.addUser('ann')
})
afterEach(() => rig.close())

const ask = (query: string, principal: Principal = ann, signal?: AbortSignal): Promise<Response> =>
	rig.edge.view.streamNodes(
		principal,
		new Request(`http://relay/v1/streams/nodes${query}`, signal === undefined ? {} : { signal }),
	)

interface SseEvent {
	readonly event: string
	readonly data: unknown
}

/** Reads events one by one; undefined at the stream's end. */
function reader(response: Response): { next(): Promise<SseEvent | undefined> } {
	const source = response.body?.getReader()
	const decoder = new TextDecoder()
	let text = ''
	return {
		async next() {
			for (;;) {
				const end = text.indexOf('\n\n')
				if (end >= 0) {
					const block = text.slice(0, end)
					text = text.slice(end + 2)
					const [event, data] = [/^event: (.*)$/m.exec(block)?.[1], /^data: (.*)$/m.exec(block)?.[1]]
					if (event !== undefined && data !== undefined) return { event, data: JSON.parse(data) }
					continue
				}
				const chunk = await source?.read()
				if (chunk === undefined || chunk.done) return undefined
				text += decoder.decode(chunk.value, { stream: true })
			}
		},
	}
}

const summary = (events: readonly NodeEvent[]): readonly string[] =>
	events.map((event) => (event.type === 'node' ? `${event.node.name} ${event.node.connected ? 'on' : 'off'}` : event.type))

describe('one answer of the stream of nodes', () => {
	it('is everything from the start, and goes on from its offset', async () => {
		const node = rig.addNode('box', ann)
		const first = await ask('?offset=-1')
		expect(summary(await first.json())).toEqual(['reset', 'box off'])
		expect(first.headers.get('stream-up-to-date')).toBe('true')
		const offset = first.headers.get('stream-next-offset') ?? ''
		expect(await (await ask(`?offset=${offset}`)).json()).toEqual([])
		await rig.agent(node)
		const second = await ask(`?offset=${offset}`)
		expect(summary(await second.json())).toEqual(['box on'])
		expect((second.headers.get('stream-next-offset') ?? '') > offset).toBe(true)
	})

	it('is nothing from now', async () => {
		rig.addNode('box', ann)
		expect(await (await ask('?offset=now')).json()).toEqual([])
	})

	it('is everything again when nodes came or went, or the offset is of another life of the relay', async () => {
		const node = rig.addNode('box', ann)
		const offset = rig.edge.view.streamOffset()
		rig.control.changeNode({ ...node.record, name: 'renamed' })
		expect(summary(await (await ask(`?offset=${offset}`)).json())).toEqual(['reset', 'renamed off'])
		rig.control.revoke({ kind: 'node', id: node.id })
		expect(summary(await (await ask(`?offset=${offset}`)).json())).toEqual(['reset'])
		expect(summary(await (await ask('?offset=0123456789ab_0000000000000000')).json())).toEqual(['reset'])
	})

	it('shows nobody the nodes of another', async () => {
		const bob = rig.control.addUser('bob')
		const node = rig.addNode('box', ann)
		const offset = rig.edge.view.streamOffset()
		await rig.agent(node)
		expect(summary(await (await ask('?offset=-1', bob)).json())).toEqual(['reset'])
		expect(await (await ask(`?offset=${offset}`, bob)).json()).toEqual([])
	})

	it.each(['?offset=x', '?offset=-2', '?offset=', `?offset=${'a'.repeat(70)}_1`, '?live=websocket'])(
		'is a 400 for %s',
		async (query) => {
			const response = await ask(query)
			expect([response.status, await response.json()]).toMatchObject([400, { error: { code: 'bad_request' } }])
		},
	)
})

describe('a live stream of nodes', () => {
	it('sends everything, then each change with the offset after it', async () => {
		const node = rig.addNode('box', ann)
		const live = reader(await ask('?offset=-1&live=sse'))
		expect(await live.next()).toMatchObject({
			event: 'data',
			data: [{ type: 'reset' }, { type: 'node', node: { connected: false } }],
		})
		const control = await live.next()
		expect(control).toMatchObject({ event: 'control', data: { upToDate: true } })
		const agent = await rig.agent(node)
		expect(await live.next()).toMatchObject({
			event: 'data',
			data: [{ type: 'node', node: { connected: true, access: 'admin' } }],
		})
		await live.next()
		agent.talker.socket.terminate()
		for (;;) {
			const event = await live.next()
			if (event === undefined) throw new Error('the stream ended')
			const change = Array.isArray(event.data) ? (event.data[0] as { node: NodeInfo }) : undefined
			if (change?.node.connected === false) break
		}
		rig.control.changeNode({ ...node.record, name: 'renamed' })
		for (;;) {
			const event = await live.next()
			if (event === undefined) throw new Error('the stream ended')
			if (JSON.stringify(event.data).includes('"renamed"')) break
		}
	})

	it('shows a node that changes all the time at most twice a second', async () => {
		const node = rig.addNode('box', ann)
		const agent = await rig.agent(node)
		const live = reader(await ask('?offset=now&live=sse'))
		await live.next()
		const stats = {
			cpus: 1,
			load1: 1,
			load5: 1,
			load15: 1,
			memory_total: 1,
			memory_used: 1,
			disk_total: 1,
			disk_used: 1,
			uptime_s: 0,
		}
		const since = performance.now()
		const flood = setInterval(
			() => agent.talker.send({ op: 'heartbeat', stats: { ...stats, uptime_s: Math.round(performance.now()) } }),
			5,
		)
		let batches = 0
		while (performance.now() - since < 1600) if ((await live.next())?.event === 'data') batches++
		clearInterval(flood)
		expect(batches).toBeGreaterThanOrEqual(2)
		expect(batches).toBeLessThanOrEqual(5)
	})

	it('shows that it lives while nothing changes', async () => {
		await rig.close()
		rig = await createEdgeRig({ statsRefreshMs: 10 })
		const body = (await ask('?offset=now&live=sse')).body?.getReader()
		await body?.read()
		const chunk = await body?.read()
		expect(new TextDecoder().decode(chunk?.value)).toBe(': keep-alive\n\n')
		await body?.cancel()
	})

	it('ends with its credential, and when its reader goes away', async () => {
		rig.addNode('box', ann)
		const live = reader(await ask('?offset=now&live=sse'))
		await live.next()
		rig.control.revoke({ kind: 'credential', id: ann.credentialId })
		expect(await live.next()).toBeUndefined()
		const leaver = new AbortController()
		const other = reader(await ask('?offset=now&live=sse', ann, leaver.signal))
		await other.next()
		leaver.abort()
		expect(await other.next()).toBeUndefined()
	})

	it('counts as one of the connections that a user may hold', async () => {
		await rig.close()
		rig = await createEdgeRig({ socketsPerUser: 1 })
		ann = rig.control.addUser('ann')
		const first = await ask('?live=sse')
		expect([first.status, (await ask('?live=sse')).status]).toEqual([200, 429])
		await first.body?.cancel()
		expect((await ask('?live=sse')).status).toBe(200)
	})

	it('counts no more once the database failed it', async () => {
		await rig.close()
		rig = await createEdgeRig({ socketsPerUser: 1 })
		ann = rig.control.addUser('ann')
		const visible = vi.spyOn(rig.control, 'visibleNodes').mockRejectedValueOnce(new Error('database is away'))
		const first = await ask('?live=sse')
		await expect(first.body?.getReader().read()).rejects.toThrow('database is away')
		visible.mockRestore()
		const second = await ask('?live=sse')
		expect(second.status).toBe(200)
		await second.body?.cancel()
	})
})
