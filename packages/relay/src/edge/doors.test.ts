import { randomBytes } from 'node:crypto'
import type { HopMessage } from '@sallyport/protocol'
import { TransportError } from '@sallyport/transport'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EdgeRig, Talker } from '../../test/edge-rig.ts'
import { createEdgeRig } from '../../test/edge-rig.ts'

const SOCKET_PATHS = ['/api/web/ws', '/api/nodes/ws', '/api/nodes/link']

let rig: EdgeRig
beforeEach(async () => {
	rig = await createEdgeRig()
})
afterEach(() => rig.close())

async function statusOf(
	path: string,
	options: { origin?: string; headers?: Record<string, string> },
): Promise<number | undefined> {
	const error: unknown = await rig.dial(path, options).catch((cause: unknown) => cause)
	return error instanceof TransportError ? error.status : 101
}

describe('before the upgrade', () => {
	it.each(SOCKET_PATHS)('refuses foreign origins and hosts with 403 at %s', async (path) => {
		const { port } = new URL(rig.origin)
		for (const origin of [
			'https://evil.example',
			'null',
			`http://127.0.0.1:${Number(port) + 1}`,
			`http://127.0.0.1.evil.example:${port}`,
			`https://127.0.0.1:${port}`,
			`${rig.origin}.`,
			'https://page.example.evil.example',
			'file://',
		])
			expect([origin, await statusOf(path, { origin })]).toEqual([origin, 403])
		for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1:1', `127.0.0.1.nip.io:${port}`])
			expect([host, await statusOf(path, { headers: { host } })]).toEqual([host, 403])
	})

	it('lets in programs, its own pages and those of listed origins', async () => {
		const { port } = new URL(rig.origin)
		for (const origin of [rig.origin, 'https://page.example', `http://localhost:${port}`])
			expect([origin, await statusOf('/api/web/ws', { origin })]).toEqual([origin, 101])
		expect(await statusOf('/api/web/ws', {})).toBe(101)
	})

	it('refuses credentials in a query, and paths that are none', async () => {
		expect(await statusOf('/api/web/ws?token=sly_pat_x', {})).toBe(400)
		expect(await statusOf('/api/web/ws/', {})).toBe(404)
		expect(await statusOf('/api/web/../nodes/x', {})).toBe(404)
	})
})

describe('the first message of a client', () => {
	const send = async (message: HopMessage | string | Uint8Array): Promise<Talker> => {
		const talker = await rig.dial('/api/web/ws')
		await talker.nextText()
		if (typeof message === 'string') talker.socket.sendText(message)
		else if (message instanceof Uint8Array) talker.socket.sendBinary(message)
		else talker.send(message)
		return talker
	}

	it('may be hello with a token alone', async () => {
		rig.control.addUser('ann')
		const talker = await send('{"op":"hello","token":"token-of-ann"}')
		expect(JSON.parse(await talker.nextText())).toEqual({
			op: 'hello_ok',
			version: 1,
			user: { id: 'user-ann-0001', name: 'ann' },
		})
	})

	it('may carry a page ticket, once', async () => {
		rig.control.tickets.set('page-ticket-1', rig.control.addUser('ann'))
		const first = await send({ op: 'hello', version: 1, page_ticket: 'page-ticket-1' })
		expect(JSON.parse(await first.nextText())).toMatchObject({ op: 'hello_ok' })
		const second = await send({ op: 'hello', version: 1, page_ticket: 'page-ticket-1' })
		expect(await second.refusedWith()).toMatchObject({ name: 'credential_expired', code: 4401 })
	})

	it.each<[string, HopMessage | string | Uint8Array, number]>([
		['binary', Uint8Array.of(1), 4400],
		['open before hello', '{"op":"open","node_id":"x"}', 4400],
		['an unknown op', '{"op":"hullo"}', 4400],
		['no json', 'GET / HTTP/1.1', 4400],
		['an array', '[]', 4400],
		['a prototype for an op', '{"op":"__proto__"}', 4400],
		['deep json', `${'['.repeat(5000)}`, 4400],
		['hello above 8 KiB', `{"op":"hello","token":"${'x'.repeat(9000)}"}`, 4400],
		['hello of 1 MB', `{"op":"hello","token":"${'x'.repeat(1_000_000)}"}`, 1009],
		['no credential', '{"op":"hello"}', 4400],
		['two credentials', '{"op":"hello","token":"token-of-ann","page_ticket":"token-of-ann"}', 4400],
		['an unknown version', '{"op":"hello","version":99,"token":"token-of-ann"}', 4426],
		['a bad token', '{"op":"hello","token":"token-of-bob"}', 4401],
		[
			'a device session',
			{ op: 'hello', version: 1, resume: { session_id: 'x'.repeat(22), proof: randomBytes(64) } } as never,
			4403,
		],
	])('is refused with a code for %s', async (_name, message, code) => {
		rig.control.addUser('ann')
		const talker = await send(message)
		expect((await talker.closed()).code).toBe(code)
		expect(talker.texts.every((text) => ['auth_required', 'refused'].includes(JSON.parse(text).op))).toBe(true)
	})

	it('may be followed by open at once, but by nothing before the answer', async () => {
		const node = rig.addNode('box', rig.control.addUser('ann'))
		await rig.agent(node)
		const talker = await send({ op: 'hello', version: 1, token: 'token-of-ann' })
		talker.send({ op: 'open', node_id: node.id })
		talker.send({ op: 'open', node_id: node.id })
		expect(await talker.refusedWith()).toMatchObject({ code: 4400 })
		const early = await rig.client('token-of-ann', node.id)
		early.socket.sendBinary(Uint8Array.of(1))
		expect(await early.refusedWith()).toMatchObject({ code: 4400 })
	})

	it('is refused with 4429 and a time when its address has tried too often; a good one costs nothing', async () => {
		rig.control.addUser('ann')
		rig.control.helloLimit = 1
		for (let index = 0; index < 5; index++)
			expect((await (await rig.client('token-of-ann')).nextText()).slice(0, 16)).toBe('{"op":"hello_ok"')
		expect(await (await rig.client('token-of-bob')).refusedWith()).toMatchObject({ code: 4401 })
		expect(await (await rig.client('token-of-ann')).refusedWith()).toMatchObject({ code: 4429, retryAfterMs: 30_000 })
	})

	it('is refused, not let in, when the database is gone', async () => {
		rig.control.addUser('ann')
		rig.control.isDatabaseGone = true
		expect(await (await rig.client('token-of-ann')).refusedWith()).toMatchObject({ code: 4408, name: 'timed_out' })
	})
})

describe('open', () => {
	it('gives the same answer for a foreign node, an unknown one and a removed one', async () => {
		const ann = rig.control.addUser('ann')
		rig.control.addUser('bob')
		const foreign = rig.addNode('box', ann)
		await rig.agent(foreign)
		const unknown = rig.addNode('other')
		rig.control.nodes.delete(unknown.id)
		const answers = await Promise.all(
			[foreign, unknown].map(async ({ id }) => (await rig.client('token-of-bob', id)).refusedWith()),
		)
		expect(answers[0]).toEqual(answers[1])
		expect(answers[0]).toMatchObject({ code: 4404, name: 'not_found' })
	})

	it.each([
		['has never connected', {}, /box has never connected to this relay/],
		[
			'lost its connection',
			{ connectedAtMs: 1, lastSeenAtMs: Date.now() - 180_000 },
			/box lost its connection to the relay 3 min ago/,
		],
		['was stopped', { connectedAtMs: 1, lastSeenAtMs: Date.now() - 7_200_000, stoppedCleanly: true }, /was stopped 2 h ago/],
	])('says that a node %s', async (_name, record, reason) => {
		const node = rig.addNode('box', rig.control.addUser('ann'), record)
		const answer = await (await rig.client('token-of-ann', node.id)).refusedWith()
		expect(answer).toMatchObject({ code: 4410, name: 'node_offline' })
		expect(answer.reason).toMatch(reason)
	})

	it('passes on why an agent would not dial, without control characters, and only from the node that was asked', async () => {
		const ann = rig.control.addUser('ann')
		const [node, other] = [rig.addNode('box', ann), rig.addNode('other', ann)]
		const agent = await rig.agent(node, { dialsBack: false })
		const liar = await rig.agent(other, { dialsBack: false })
		const client = await rig.client('token-of-ann', node.id)
		const dial: { link_ticket: string } = JSON.parse(await agent.talker.nextText())
		const ticketId = dial.link_ticket.slice('sly_link_ticket_'.length, 'sly_link_ticket_'.length + 12)
		liar.talker.send({ op: 'dial_failed', ticket_id: ticketId, reason: 'a lie' })
		liar.talker.send({ op: 'stopping' })
		liar.talker.socket.close(1000, '')
		await liar.talker.closed()
		agent.talker.send({ op: 'dial_failed', ticket_id: ticketId, reason: 'no \u001b[31mroute' })
		expect((await client.refusedWith()).reason).toBe('box could not dial back: no  [31mroute')
	})

	it('is answered at once when the agent is lost in the middle', async () => {
		const node = rig.addNode('box', rig.control.addUser('ann'))
		const agent = await rig.agent(node, { dialsBack: false })
		const client = await rig.client('token-of-ann', node.id)
		await agent.talker.nextText()
		agent.talker.socket.terminate()
		expect(await client.refusedWith()).toMatchObject({
			code: 4410,
			reason: 'box could not dial back: it lost its connection to the relay',
		})
	})

	it('waits just after a start for a node that was lately here', async () => {
		await rig.close()
		rig = await createEdgeRig({ holdMs: 10_000 })
		const node = rig.addNode('box', rig.control.addUser('ann'), { connectedAtMs: Date.now() - 1000 })
		const client = await rig.client('token-of-ann', node.id)
		await client.nextText()
		await rig.agent(node)
		expect(JSON.parse(await client.nextText())).toEqual({ op: 'opened' })
	})
})

describe('a link ticket', () => {
	const ticketFor = async (): Promise<{ ticket: string; client: Talker }> => {
		const node = rig.addNode('box', rig.control.addUser('ann'))
		const agent = await rig.agent(node, { dialsBack: false })
		const client = await rig.client('token-of-ann', node.id)
		await client.nextText()
		const dial: { link_ticket: string } = JSON.parse(await agent.talker.nextText())
		return { ticket: dial.link_ticket, client }
	}
	const present = async (ticket: string): Promise<Talker> => {
		const link = await rig.dial('/api/nodes/link')
		await link.nextText()
		link.send({ op: 'hello', version: 1, link_ticket: ticket })
		return link
	}

	it('works once, even when two come at the same moment', async () => {
		const { ticket, client } = await ticketFor()
		const both = await Promise.all([present(ticket), present(ticket)])
		const answers = await Promise.all(both.map((link) => link.nextText()))
		expect(new Set(answers.map((text) => JSON.parse(text).op))).toEqual(new Set(['opened', 'refused']))
		expect(JSON.parse(await client.nextText())).toEqual({ op: 'opened' })
	})

	it('is refused when forged or of another kind, and that counts against the address', async () => {
		const { ticket } = await ticketFor()
		const flipped = ticket.slice(0, 30) + (ticket[30] === 'A' ? 'B' : 'A') + ticket.slice(31)
		for (const bad of [flipped, 'sly_link_ticket_x', ticket.replace('link_ticket', 'page_ticket')])
			expect(await (await present(bad)).refusedWith()).toMatchObject({ code: 4401 })
		expect(rig.control.helloCounts.get('127.0.0.1')).toBe(3)
		rig.control.helloLimit = 0
		expect(await (await present(flipped)).refusedWith()).toMatchObject({ code: 4429 })
		expect(JSON.parse(await (await present(ticket)).nextText())).toEqual({ op: 'opened' })
	})

	it('falls when the client goes away first', async () => {
		const { ticket, client } = await ticketFor()
		client.socket.terminate()
		const link = await present(ticket)
		expect((await link.closed()).code).toBeGreaterThanOrEqual(1000)
		expect(link.texts.some((text) => text.includes('opened'))).toBe(false)
	})
})
