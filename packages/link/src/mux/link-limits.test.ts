/** Who goes first, who waits, and how much is kept meanwhile. */
import { concatBytes, decodeFrames, utf8ToBytes } from '@sallyport/protocol'
import { describe, expect, test } from 'vitest'
import type { LinkMachineEvent } from './events.ts'
import type { LinkMachine } from './link-machine.ts'
import { createLinkMachine } from './link-machine.ts'

const MIB = 1024 * 1024
const SHELL = { kind: 'shell', class: 'interactive', cols: 80, rows: 24 } as const
const BULK = { kind: 'tcp', class: 'bulk' } as const

class Pair {
	readonly client = createLinkMachine({ role: 'client' })
	readonly node = createLinkMachine({ role: 'node' })
	/** Streams whose data the node's application leaves unread. */
	readonly unread = new Set<number>()
	readonly events: LinkMachineEvent[] = []
	readonly received = new Map<number, number>()
	nowMs = 1

	constructor() {
		this.client.connectionUp(0)
		this.node.connectionUp(0)
	}

	/** Carries all there is, past delayed acks. */
	run(): void {
		for (;;) {
			const isMoved = [this.carry(this.client, this.node), this.carry(this.node, this.client)].includes(true)
			this.read()
			if (isMoved) continue
			const timeouts = [this.client, this.node].map((machine) => machine.nextTimeoutMs() ?? Number.POSITIVE_INFINITY)
			const nextMs = Math.min(...timeouts)
			if (nextMs === Number.POSITIVE_INFINITY) return
			this.nowMs = Math.max(this.nowMs, nextMs)
		}
	}

	carry(from: LinkMachine, to: LinkMachine): boolean {
		let isMoved = false
		for (let record = from.pollRecord(this.nowMs); record !== undefined; record = from.pollRecord(this.nowMs)) {
			expect(to.receiveRecord(record, this.nowMs)).toMatchObject({ ok: true })
			isMoved = true
		}
		return isMoved
	}

	read(): void {
		for (let event = this.node.pollEvent(); event !== undefined; event = this.node.pollEvent()) {
			this.events.push(event)
			if (event.kind !== 'data') continue
			this.received.set(event.streamId, (this.received.get(event.streamId) ?? 0) + event.bytes.length)
			if (!this.unread.has(event.streamId)) this.node.consume(event.streamId, event.bytes.length)
		}
	}
}

function streamsIn(record: Uint8Array | undefined): number[] {
	const frames = decodeFrames(record ?? new Uint8Array(0))
	if (!frames.ok) throw new Error(frames.error.detail)
	return frames.value.flatMap((frame) => (frame.kind === 'data' ? [frame.streamId] : []))
}

function open(machine: LinkMachine, request: typeof SHELL | typeof BULK): number {
	const id = machine.openStream(request)
	if (id === undefined) throw new Error('no stream')
	return id
}

describe('order', () => {
	test('a key goes before an upload, in a record of its own, padded', () => {
		const { client, node, ...pair } = new Pair()
		const upload = open(client, BULK)
		const shell = open(client, SHELL)
		client.sendData(upload, new Uint8Array(200_000))
		while (streamsIn(client.pollRecord(1)).length === 0);
		client.sendData(shell, utf8ToBytes('x'))
		const record = client.pollRecord(1)
		expect(streamsIn(record)).toEqual([shell])
		expect(record?.length).toBe(64)
		expect(streamsIn(client.pollRecord(1))).toEqual([upload])
		expect([node.stats().streams, pair.nowMs]).toEqual([0, 1])
	})

	test('a terminal that floods goes by turns with an upload, and another one before both', () => {
		const { client } = new Pair()
		const flood = open(client, SHELL)
		const upload = open(client, BULK)
		const quiet = open(client, SHELL)
		client.sendData(flood, new Uint8Array(200_000))
		client.sendData(upload, new Uint8Array(200_000))
		const first = [client.pollRecord(1), client.pollRecord(1), client.pollRecord(1), client.pollRecord(1)].flatMap(streamsIn)
		expect(first).toEqual([flood, flood, upload, flood])
		client.sendData(quiet, utf8ToBytes('x'))
		expect(streamsIn(client.pollRecord(1))).toEqual([quiet])
	})

	test('flooding terminals take turns', () => {
		const { client } = new Pair()
		const ids = [open(client, SHELL), open(client, SHELL), open(client, SHELL)]
		for (const id of ids) client.sendData(id, new Uint8Array(20_000))
		expect(streamsIn(concatBytes([client.pollRecord(1) ?? new Uint8Array(0)]))).toEqual(ids)
	})

	test('a signal overtakes data that the program does not read, an exit does not', () => {
		const pair = new Pair()
		const id = open(pair.client, SHELL)
		pair.unread.add(id)
		pair.client.sendData(id, new Uint8Array(300_000))
		pair.run()
		expect(pair.received.get(id)).toBe(262_144)
		pair.client.sendStreamMessage(id, { op: 'exit', status: 3 })
		pair.client.sendStreamMessage(id, { op: 'signal', signal: 'INT' })
		pair.run()
		expect(pair.events.at(-1)).toMatchObject({ kind: 'stream_message', message: { op: 'signal', signal: 'INT' } })
		pair.unread.clear()
		pair.node.consume(id, 262_144)
		pair.run()
		expect(pair.events.at(-1)).toMatchObject({ kind: 'stream_message', message: { op: 'exit', status: 3 } })
		expect(pair.received.get(id)).toBe(300_000)
	})
})

test('messages and requests larger than a record together go in several, in order', () => {
	const pair = new Pair()
	const id = open(pair.client, SHELL)
	const answers = ['x'.repeat(4000), 'y'.repeat(4000), 'z'.repeat(4000)]
	for (let prompt_id = 0; prompt_id < 12; prompt_id++) {
		pair.client.sendStreamMessage(id, { op: 'login_answer', prompt_id, answers })
		pair.client.sendRequest({ op: 'approve_pairing', request_id: 'r'.repeat(64), digits: '123456' })
	}
	for (let count = 0; count < 600; count++) pair.client.sendRequest({ op: 'deny_pairing', request_id: 'r'.repeat(64) })
	pair.client.sendData(id, new Uint8Array(0))
	pair.run()
	const prompts = pair.events.flatMap((event) => (event.kind === 'stream_message' ? [event.message] : []))
	expect(prompts.map((message) => message.op === 'login_answer' && message.prompt_id)).toEqual([...Array(12).keys()])
	const ids = pair.events.flatMap((event) => (event.kind === 'request' ? [event.message.id] : []))
	expect(ids).toEqual(Array.from({ length: 612 }, (_, index) => 4 + 2 * index))
})

describe('credit', () => {
	test('a reader that stops holds up its own stream only', () => {
		const pair = new Pair()
		const ids = Array.from({ length: 20 }, () => open(pair.client, BULK))
		const [first = 0, ...others] = ids
		const shell = open(pair.client, SHELL)
		for (const id of others) pair.unread.add(id)
		for (const id of others) pair.client.sendData(id, new Uint8Array(MIB))
		for (let round = 0; round < 40; round++) {
			pair.client.sendData(first, new Uint8Array(MIB / 4))
			pair.client.sendData(shell, new Uint8Array(1000))
			pair.run()
		}
		expect(pair.received.get(first)).toBe(10 * MIB)
		expect(pair.received.get(shell)).toBe(40_000)
		for (const id of others) expect(pair.received.get(id)).toBe(MIB / 4)
		for (const id of others) pair.node.consume(id, MIB / 4)
		pair.unread.clear()
		pair.run()
		for (const id of others) expect(pair.received.get(id)).toBe(MIB)
	})

	test('uploads left unread leave the reserve to terminals', () => {
		const pair = new Pair()
		for (let count = 0; count < 40; count++) {
			const id = open(pair.client, BULK)
			pair.unread.add(id)
			pair.client.sendData(id, new Uint8Array(MIB / 4))
		}
		pair.run()
		const sent = [...pair.received.values()].reduce((sum, bytes) => sum + bytes, 0)
		expect(sent).toBe(8 * MIB - MIB / 2 - 1)
		const shell = open(pair.client, SHELL)
		for (let round = 0; round < 30; round++) {
			pair.client.sendData(shell, new Uint8Array(100_000))
			pair.run()
		}
		expect(pair.received.get(shell)).toBe(3_000_000)
	})

	test.each([
		{ what: 'an upload', request: BULK, unread: [...new Array(29).fill(MIB / 4), 220_000], kind: BULK },
		{ what: 'a terminal', request: SHELL, unread: [MIB / 4, 250_000], kind: SHELL },
	])('$what goes on with what little credit unread ones leave', ({ request, unread, kind }) => {
		const pair = new Pair()
		const leave = (byteCount: number, of: typeof SHELL | typeof BULK) => {
			const id = open(pair.client, of)
			pair.unread.add(id)
			pair.client.sendData(id, new Uint8Array(byteCount))
		}
		if (request === SHELL) for (let count = 0; count < 40; count++) leave(MIB / 4, BULK)
		for (const byteCount of unread) leave(byteCount, kind)
		pair.run()
		const id = open(pair.client, request)
		for (let round = 0; round < 10; round++) pair.client.sendData(id, new Uint8Array(300_000))
		pair.run()
		expect(pair.received.get(id)).toBe(3_000_000)
	})

	test('terminals left unread use up the reserve and go on when they are read', () => {
		const pair = new Pair()
		const ids = Array.from({ length: 40 }, () => open(pair.client, SHELL))
		for (const id of ids) {
			pair.unread.add(id)
			pair.client.sendData(id, new Uint8Array(MIB / 4))
		}
		pair.run()
		expect(pair.node.stats().unconsumedBytes).toBe(8 * MIB - 1)
		pair.unread.clear()
		for (const [id, bytes] of pair.received) pair.node.consume(id, bytes)
		pair.run()
		for (const id of ids) expect(pair.received.get(id)).toBe(MIB / 4)
	})

	test('a stream grows its window with its rate, up to 4 MiB, and within what all may have', () => {
		const pair = new Pair()
		const id = open(pair.client, BULK)
		for (let round = 0; round < 100; round++) {
			pair.client.sendData(id, new Uint8Array(MIB))
			pair.run()
		}
		pair.unread.add(id)
		for (let round = 0; round < 10; round++) pair.client.sendData(id, new Uint8Array(MIB))
		pair.run()
		expect(pair.node.stats().unconsumedBytes).toBeGreaterThan(2 * MIB)
		expect(pair.node.stats().unconsumedBytes).toBeLessThanOrEqual(4 * MIB)
	})

	test('rejects more consumed than delivered, as a mistake of its own side', () => {
		const pair = new Pair()
		const id = open(pair.client, SHELL)
		pair.run()
		expect(() => pair.node.consume(id, 1)).toThrow(RangeError)
		expect(() => pair.node.consume(id, -1)).toThrow(RangeError)
		pair.node.consume(99, 1)
	})
})

describe('memory', () => {
	test('tells a source when to wait and when to go on', () => {
		const pair = new Pair()
		const id = open(pair.client, BULK)
		expect(pair.client.sendData(id, new Uint8Array(262_143))).toBe(true)
		expect(pair.client.sendData(id, new Uint8Array(1))).toBe(false)
		pair.carry(pair.client, pair.node)
		expect(pair.client.pollEvent()).toBeUndefined()
		pair.run()
		const drained: LinkMachineEvent[] = []
		for (let event = pair.client.pollEvent(); event !== undefined; event = pair.client.pollEvent()) drained.push(event)
		expect(drained.filter((event) => event.kind === 'drained')).toEqual([{ kind: 'drained', streamId: id }])
		expect(pair.received.get(id)).toBe(262_144)
	})

	test('lets each stream queue less while much is queued on the link', () => {
		const client = createLinkMachine({ role: 'client' })
		for (let count = 0; count < 17; count++) client.sendData(open(client, BULK), new Uint8Array(MIB / 4 - 1))
		const late = open(client, BULK)
		expect(client.sendData(late, new Uint8Array(10_000))).toBe(true)
		expect(client.sendData(late, new Uint8Array(10_000))).toBe(false)
	})

	test('keeps less than 16 MiB for a peer that takes everything and acks nothing', () => {
		const client = createLinkMachine({ role: 'client', peer: { streams: 9, linkWindowBytes: 1e9, streamWindowBytes: 1e9 } })
		client.connectionUp(0)
		const id = open(client, SHELL)
		for (let count = 0; count < 100_000; count++) {
			client.sendData(id, new Uint8Array(400))
			while (client.pollRecord(1) !== undefined);
		}
		expect(client.stats().retainedBytes).toBeLessThan(16 * MIB)
		expect(client.stats().queuedBytes).toBeGreaterThan(0)
	})

	test('hands over a few bytes without the record around them, and bulk without a copy', () => {
		const pair = new Pair()
		const shell = open(pair.client, SHELL)
		const upload = open(pair.client, BULK)
		pair.client.sendData(shell, Uint8Array.of(1, 2, 3))
		pair.client.sendData(upload, new Uint8Array(10_000))
		pair.run()
		const sizes = pair.events.flatMap((event) =>
			event.kind === 'data' ? [event.bytes.buffer.byteLength - event.bytes.length] : [],
		)
		expect(sizes[0]).toBe(0)
		expect(sizes[1]).toBeGreaterThan(0)
		expect(sizes[1]).toBeLessThan(1000)
	})

	test('gathers small writes', () => {
		const pair = new Pair()
		const id = open(pair.client, SHELL)
		const text = Array.from({ length: 9000 }, (_, index) => index % 256)
		for (const byte of text) pair.client.sendData(id, Uint8Array.of(byte))
		pair.client.sendData(id, new Uint8Array(2000).fill(7))
		pair.client.sendData(id, Uint8Array.of(1))
		pair.run()
		const bytes = concatBytes(pair.events.flatMap((event) => (event.kind === 'data' ? [event.bytes] : [])))
		expect(bytes).toEqual(Uint8Array.from([...text, ...new Array(2000).fill(7), 1]))
		expect(pair.events.filter((event) => event.kind === 'data')).toHaveLength(1)
	})
})

describe('commands', () => {
	test('that can never be right are thrown back', () => {
		const pair = new Pair()
		const id = open(pair.client, SHELL)
		const exec = pair.client.openStream({ kind: 'exec', class: 'bulk', argv: ['true'] }) ?? 0
		pair.run()
		pair.node.acceptStream(id, { name: 'one' })
		expect(() => pair.node.acceptStream(id)).toThrow('not waiting')
		expect(() => pair.client.acceptStream(id)).toThrow('not waiting')
		expect(() => pair.client.sendData(id, new Uint8Array(1), 0)).toThrow('exec')
		expect(() => pair.client.sendData(exec, new Uint8Array(1))).toThrow('exec')
		pair.client.endStream(id)
		pair.client.endStream(id)
		expect(() => pair.client.sendData(id, new Uint8Array(1))).toThrow('ended')
		expect(() => pair.client.sendStreamMessage(id, { op: 'exit', status: 0 })).toThrow('before the end')
		expect(() => pair.client.sendMessage({ op: 'failed', id: 1, code: 'internal', message: 'x'.repeat(20_000) })).toThrow(
			RangeError,
		)
		pair.run()
		expect(pair.events.filter((event) => event.kind === 'stream_end')).toHaveLength(1)
	})

	test('about streams that are over, or on a link that is over, do nothing', () => {
		const pair = new Pair()
		const id = open(pair.client, SHELL)
		pair.run()
		pair.client.resetStream(id, 'cancelled')
		pair.client.resetStream(id, 'cancelled')
		pair.client.endStream(id)
		pair.client.acceptStream(id)
		pair.client.sendStreamMessage(id, { op: 'resize', cols: 1, rows: 1 })
		expect(pair.client.sendData(id, new Uint8Array(1))).toBe(true)
		pair.run()
		expect(pair.events.map((event) => event.kind)).toEqual(['stream_open', 'pong', 'stream_reset'])
		pair.client.closeLink('closed_by_client', 'bye')
		pair.client.closeLink('internal')
		expect(pair.client.sendRequest({ op: 'list_terminals' })).toBeUndefined()
		pair.client.sendMessage({ op: 'terminals_changed' })
		pair.run()
		expect(pair.events.at(-1)).toEqual({ kind: 'link_closed', by: 'peer', code: 'closed_by_client', message: 'bye' })
		expect([pair.client.isClosed, pair.node.isClosed]).toEqual([true, true])
		pair.client.sendDriverMessage({ op: 'pairing_required' })
		pair.client.probe()
		expect(pair.client.connectionUp(9)).toMatchObject({ ok: true })
		expect([pair.client.pollRecord(9), pair.client.nextTimeoutMs()]).toEqual([undefined, undefined])
	})

	test('close a parked link without a word, and lose the farewell with the connection', () => {
		const parked = createLinkMachine({ role: 'client' })
		parked.closeLink('closed_by_client')
		expect(parked.isClosed).toBe(true)
		const cut = createLinkMachine({ role: 'client' })
		cut.connectionUp(0)
		cut.closeLink('closed_by_client')
		expect(cut.isClosed).toBe(false)
		cut.connectionLost()
		cut.connectionLost()
		expect(cut.isClosed).toBe(true)
	})

	test('send a message of the driver first and once, and ask for a sign of life at any time', () => {
		const pair = new Pair()
		pair.run()
		pair.client.sendDriverMessage({ op: 'pairing_required' })
		pair.client.sendDriverMessage({ op: 'link_refused', code: 'refused', message: 'y'.repeat(500) })
		pair.client.probe()
		pair.nowMs += 5
		pair.run()
		expect(pair.events.map((event) => event.kind)).toEqual(['pong', 'driver_message', 'driver_message'])
		const seen: LinkMachineEvent[] = []
		for (let event = pair.client.pollEvent(); event !== undefined; event = pair.client.pollEvent()) seen.push(event)
		expect(seen.map((event) => event.kind)).toEqual(['pong', 'pong'])
	})

	test('more messages of the driver than a record holds go in several', () => {
		const pair = new Pair()
		const notice = { op: 'link_refused', code: 'refused', message: 'z'.repeat(512) } as const
		for (let count = 0; count < 300; count++) pair.client.sendDriverMessage(notice)
		pair.run()
		expect(pair.events.filter((event) => event.kind === 'driver_message')).toHaveLength(300)
	})

	test('refuse to use an id twice when all are used', () => {
		const client = createLinkMachine({ role: 'client' })
		client.connectionUp(0)
		expect(client.sendRequest({ op: 'list_terminals' })).toBe(2)
		expect(client.sendRequest({ op: 'list_terminals' })).toBe(4)
		expect(createLinkMachine({ role: 'node' }).sendRequest({ op: 'list_terminals' })).toBe(1)
	})
})
