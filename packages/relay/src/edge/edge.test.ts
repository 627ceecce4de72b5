import { createHash, randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EdgeRig } from '../../test/edge-rig.ts'
import { createEdgeRig } from '../../test/edge-rig.ts'

let rig: EdgeRig
beforeEach(async () => {
	rig = await createEdgeRig()
})
afterEach(() => rig.close())

describe('a link through the edge', () => {
	it('is opened to the agent first, then to the client, and passes records both ways unread', async () => {
		const node = rig.addNode('box', rig.control.addUser('ann'))
		const agent = await rig.agent(node)
		const { client, agentEnd } = await rig.link('ann', node, agent)
		expect(client.texts.map((text) => JSON.parse(text).op)).toEqual(['auth_required', 'hello_ok', 'opened'])
		expect(agentEnd.texts.map((text) => JSON.parse(text).op)).toEqual(['auth_required', 'opened'])
		client.socket.sendBinary(Uint8Array.of(1, 2))
		agentEnd.socket.sendBinary(Uint8Array.of(3))
		await client.until(() => client.binaries.length === 1)
		await agentEnd.until(() => agentEnd.binaries.length === 1)
		expect([client.binaries, agentEnd.binaries]).toEqual([[Uint8Array.of(3)], [Uint8Array.of(1, 2)]])
		expect(rig.edge.view.connections()).toMatchObject([{ info: { node_name: 'box', bytes_to_node: 2, bytes_to_client: 1 } }])
		expect(rig.edge.view.totals()).toMatchObject({ nodesConnected: 1, linksOpen: 1, bytesToNodes: 2, bytesToClients: 1 })
	})

	it('keeps every byte and boundary of 64 MiB in both directions at once', async () => {
		const node = rig.addNode('box', rig.control.addUser('ann'))
		const { client, agentEnd } = await rig.link('ann', node, await rig.agent(node))
		const message = randomBytes(65_535)
		const count = 1024
		const expected = createHash('sha256')
		for (let index = 0; index < count; index++) expected.update(message.subarray(index))
		const digest = expected.digest('hex')
		const received = (talker: typeof client): Promise<string> =>
			new Promise((resolve) => {
				const hash = createHash('sha256')
				let messages = 0
				talker.socket.setHandlers({
					onText: () => undefined,
					onBinary: (bytes) => {
						hash.update(bytes)
						if (++messages === count) resolve(hash.digest('hex'))
					},
					onClose: () => undefined,
				})
			})
		const both = Promise.all([received(client), received(agentEnd)])
		for (let index = 0; index < count; index++) {
			client.socket.sendBinary(message.subarray(index))
			agentEnd.socket.sendBinary(message.subarray(index))
		}
		expect(await both).toEqual([digest, digest])
	})

	it('passes the close code of either side across, after what was sent before it', async () => {
		const node = rig.addNode('box', rig.control.addUser('ann'))
		const agent = await rig.agent(node)
		const one = await rig.link('ann', node, agent)
		one.agentEnd.socket.sendBinary(new Uint8Array(60_000))
		one.agentEnd.socket.close(4412, 'keys')
		expect(await one.client.closed()).toEqual({ code: 4412, reason: 'keys' })
		expect(one.client.binaries.length).toBe(1)
		const two = await rig.link('ann', node, agent)
		two.client.socket.close(1000, 'done')
		expect(await two.agentEnd.closed()).toEqual({ code: 1000, reason: 'done' })
		const three = await rig.link('ann', node, agent)
		three.client.socket.terminate()
		expect((await three.agentEnd.closed()).code).toBe(1001)
		expect(rig.edge.view.totals().linksOpen).toBe(0)
	})

	it('is ended on both sides by text', async () => {
		const node = rig.addNode('box', rig.control.addUser('ann'))
		const { client, agentEnd } = await rig.link('ann', node, await rig.agent(node))
		client.socket.sendText('{"op":"open"}')
		expect((await client.closed()).code).toBe(4400)
		expect((await agentEnd.closed()).code).toBe(4400)
		expect(agentEnd.texts.length).toBe(2)
	})

	it('can be cut by a person', async () => {
		const node = rig.addNode('box', rig.control.addUser('ann'))
		const { client, agentEnd } = await rig.link('ann', node, await rig.agent(node))
		const id = rig.edge.view.connections()[0]?.info.id ?? ''
		expect([rig.edge.view.closeConnection(id), rig.edge.view.closeConnection('no-such')]).toEqual([true, false])
		expect([(await client.closed()).code, (await agentEnd.closed()).code]).toEqual([4403, 4403])
	})
})
