import { randomBytes } from 'node:crypto'
import { parseServerMessage } from '@sallyport/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EdgeRig, Talker, TestNode } from '../../test/edge-rig.ts'
import { createEdgeRig } from '../../test/edge-rig.ts'

const STATS = {
	cpus: 2,
	load1: 0.5,
	load5: 0.4,
	load15: 0.3,
	memory_total: 8,
	memory_used: 4,
	disk_total: 100,
	disk_used: 50,
	uptime_s: 60,
}

let rig: EdgeRig
beforeEach(async () => {
	rig = await createEdgeRig()
})
afterEach(() => rig.close())

interface Claim {
	readonly signature?: Uint8Array
	readonly challenge?: Uint8Array
	readonly origin?: string
	readonly version?: number
}

async function claim(node: TestNode, options: Claim = {}): Promise<Talker> {
	const talker = await rig.dial('/api/nodes/ws')
	const first = parseServerMessage(await talker.nextText())
	if (!first.ok || first.value.op !== 'auth_required') throw new Error('no challenge came')
	const challenge = options.challenge ?? first.value.challenge
	talker.send({
		op: 'hello',
		version: options.version ?? 1,
		node_id: node.id,
		signature: options.signature ?? node.sign(challenge, options.origin ?? rig.origin),
		hostname: 'host',
		os: 'linux',
		agent_version: '0.1.0',
	})
	return talker
}

describe('a node that says who it is', () => {
	it('is told its name, its owner and where it may dial', async () => {
		const node = rig.addNode('box', rig.control.addUser('ann'))
		const talker = await claim(node)
		expect(JSON.parse(await talker.nextText())).toEqual({
			op: 'hello_ok',
			version: 1,
			name: 'box',
			owner: { id: 'user-ann-0001', name: 'ann' },
			origins: [rig.origin],
			address: '127.0.0.1',
		})
		expect(rig.control.events).toEqual([`connected ${node.id}`])
	})

	it('gets one answer for every wrong proof and for an unknown node, and is counted', async () => {
		const node = rig.addNode('box')
		const unknown = rig.addNode('gone')
		rig.control.nodes.delete(unknown.id)
		const answers = await Promise.all([
			(await claim(node, { signature: randomBytes(64) })).refusedWith(),
			(await claim(node, { challenge: randomBytes(32) })).refusedWith(),
			(await claim(node, { origin: 'https://relay.evil.example' })).refusedWith(),
			(await claim(unknown)).refusedWith(),
		])
		expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
		expect(answers[0]).toMatchObject({ code: 4404, name: 'not_found' })
		expect(rig.control.helloCounts.get('127.0.0.1')).toBe(4)
		expect(rig.edge.view.totals().nodesConnected).toBe(0)
	})

	it('is let in with a good proof even when its address is over its limit', async () => {
		rig.control.helloLimit = 0
		const talker = await claim(rig.addNode('box'))
		expect(JSON.parse(await talker.nextText())).toMatchObject({ op: 'hello_ok' })
	})

	it('is told that its version is too old, and people read so', async () => {
		const node = rig.addNode('box', rig.control.addUser('ann'))
		expect(await (await claim(node, { version: 0 })).refusedWith()).toMatchObject({ code: 4426 })
		expect(rig.edge.view.nodeInfo(node.record, 'admin')).toMatchObject({ connected: false, offline_reason: 'version_too_old' })
	})

	it('takes the place of an older connection of the same identity, without being called gone', async () => {
		const node = rig.addNode('box', rig.control.addUser('ann'))
		const first = await rig.agent(node)
		const second = await rig.agent(node)
		expect(await first.talker.refusedWith()).toMatchObject({ code: 4409, name: 'replaced' })
		expect(rig.control.events.filter((event) => event.startsWith('disconnected'))).toEqual([])
		const { client } = await rig.link('ann', node, second)
		expect(client.socket.isOpen).toBe(true)
		expect(rig.edge.view.totals().nodesConnected).toBe(1)
	})
})

describe('a connected node', () => {
	it('shows its latency, stats and links, and why it is gone afterwards', async () => {
		const node = rig.addNode('box', rig.control.addUser('ann'))
		const agent = await rig.agent(node)
		agent.talker.send({ op: 'heartbeat', stats: STATS })
		await rig.link('ann', node, agent)
		const seen = rig.edge.view.nodeInfo(node.record, 'use')
		expect(seen).toMatchObject({ connected: true, stats: STATS, links: 1, hostname: 'host', access: 'use' })
		expect(seen.latency_ms).toBeGreaterThanOrEqual(0)
		agent.talker.send({ op: 'stopping' })
		agent.talker.socket.close(1000, 'stopping')
		await agent.talker.closed()
		expect(rig.edge.view.nodeInfo(node.record, 'use')).toMatchObject({ connected: false, offline_reason: 'stopped' })
		expect(rig.control.events.at(-1)).toBe(`disconnected ${node.id} cleanly`)
	})

	it.each([
		['binary', Uint8Array.of(1)],
		['a second hello', '{"op":"hello"}'],
		['an unknown op', '{"op":"shutdown"}'],
		['no json', '\u0000'],
		['a heartbeat of nonsense', '{"op":"heartbeat","stats":{"cpus":-1}}'],
	])('is cut with 4400 for %s', async (_name, message) => {
		const node = rig.addNode('box')
		const { talker } = await rig.agent(node)
		if (typeof message === 'string') talker.socket.sendText(message)
		else talker.socket.sendBinary(message)
		expect((await talker.closed()).code).toBe(4400)
		expect(rig.edge.view.totals().nodesConnected).toBe(0)
	})
})

describe('a revocation', () => {
	it('of a node cuts its control socket and links with 4404', async () => {
		const node = rig.addNode('box', rig.control.addUser('ann'))
		const agent = await rig.agent(node)
		const { client, agentEnd } = await rig.link('ann', node, agent)
		rig.control.revoke({ kind: 'node', id: node.id })
		const codes = await Promise.all([client, agentEnd, agent.talker].map(async (talker) => (await talker.closed()).code))
		expect(codes).toEqual([4404, 4404, 4404])
		expect(rig.edge.view.totals()).toMatchObject({ nodesConnected: 0, linksOpen: 0 })
	})

	it.each(['credential', 'user'] as const)(
		'of a %s cuts its idle sockets and links with 4401 on both sides, and nobody else’s',
		async (kind) => {
			const ann = rig.control.addUser('ann')
			const bob = rig.control.addUser('bob')
			const node = rig.addNode('box', ann)
			rig.control.grants.set(`${bob.user.id}/${node.id}`, 'use')
			const agent = await rig.agent(node)
			const anns = await rig.link('ann', node, agent)
			const bobs = await rig.link('bob', node, agent)
			const idle = await rig.client('token-of-ann')
			await idle.nextText()
			rig.control.revoke(kind === 'user' ? { kind, id: ann.user.id } : { kind, id: ann.credentialId })
			const codes = await Promise.all([anns.client, anns.agentEnd, idle].map(async (talker) => (await talker.closed()).code))
			expect(codes).toEqual([4401, 4401, 4401])
			expect([bobs.client.socket.isOpen, bobs.agentEnd.socket.isOpen]).toEqual([true, true])
		},
	)

	it('that overtakes the answer of door one wins', async () => {
		const ann = rig.control.addUser('ann')
		const node = rig.addNode('box', ann)
		await rig.agent(node)
		rig.control.whileAuthorizing = () => rig.control.revoke({ kind: 'credential', id: ann.credentialId })
		expect(await (await rig.client('token-of-ann', node.id)).refusedWith()).toMatchObject({ code: 4401 })
		rig.control.whileAuthorizing = () => rig.control.revoke({ kind: 'node', id: node.id })
		expect(await (await rig.client('token-of-ann', node.id)).refusedWith()).toMatchObject({ code: 4410 })
		expect(rig.edge.view.totals().linksOpen).toBe(0)
	})
})

describe('a credential', () => {
	it('ends its sockets within a second of its own end', async () => {
		const node = rig.addNode('box', rig.control.addUser('ann', { expiresAtMs: Date.now() + 300 }))
		const { client } = await rig.link('ann', node, await rig.agent(node))
		const since = performance.now()
		expect((await client.closed()).code).toBe(4401)
		expect(performance.now() - since).toBeLessThan(1300)
	})

	it('holds 100 sockets at once and no more; a closed one makes room', async () => {
		await rig.close()
		rig = await createEdgeRig({ socketsPerUser: 3 })
		rig.control.addUser('ann')
		const open = await Promise.all([1, 2, 3].map(() => rig.client('token-of-ann')))
		await Promise.all(open.map((client) => client.nextText()))
		expect(await (await rig.client('token-of-ann')).refusedWith()).toMatchObject({ code: 4429 })
		open[0]?.socket.close(1000, '')
		await open[0]?.closed()
		expect(JSON.parse(await (await rig.client('token-of-ann')).nextText())).toMatchObject({ op: 'hello_ok' })
	})
})

describe('a relay that stops', () => {
	it('tells everyone 1012 and takes nobody in any more', async () => {
		const node = rig.addNode('box', rig.control.addUser('ann'))
		const agent = await rig.agent(node)
		const { client, agentEnd } = await rig.link('ann', node, agent)
		const idle = await rig.client('token-of-ann')
		await idle.nextText()
		await rig.edge.close()
		const codes = await Promise.all([client, agentEnd, agent.talker, idle].map(async (talker) => (await talker.closed()).code))
		expect(codes).toEqual([1012, 1012, 1012, 1012])
		await expect(rig.dial('/api/web/ws')).rejects.toMatchObject({ status: 503 })
		expect(rig.control.events.at(-1)).toBe(`disconnected ${node.id} lost`)
	})
})
