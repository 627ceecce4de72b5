import { utf8ToBytes } from '@sallyport/protocol'
import { expect, test } from 'vitest'
import type { LinkMachineEvent } from './events.ts'
import type { LinkMachine } from './link-machine.ts'
import { createLinkMachine } from './link-machine.ts'

const SHELL = { kind: 'shell', class: 'interactive', cols: 80, rows: 24 } as const

interface Pair {
	readonly client: LinkMachine
	readonly node: LinkMachine
	/** Carries records both ways until neither side has any, now or later, and returns what happened. */
	run(nowMs: number): { readonly client: LinkMachineEvent[]; readonly node: LinkMachineEvent[] }
}

function createPair(): Pair {
	const client = createLinkMachine({ role: 'client' })
	const node = createLinkMachine({ role: 'node' })
	client.connectionUp(0)
	node.connectionUp(0)
	return { client, node, run: (nowMs) => carryAll(client, node, nowMs) }
}

/** Goes on past delayed acks, until nothing is left to do. */
function carryAll(client: LinkMachine, node: LinkMachine, startMs: number) {
	const events = { client: [] as LinkMachineEvent[], node: [] as LinkMachineEvent[] }
	for (let nowMs: number | undefined = startMs; nowMs !== undefined; ) {
		const some = carry(client, node, nowMs)
		events.client.push(...some.client)
		events.node.push(...some.node)
		const timeouts = [client.nextTimeoutMs(), node.nextTimeoutMs()].filter((timeout) => timeout !== undefined)
		nowMs = timeouts.length === 0 ? undefined : Math.min(...timeouts)
	}
	return events
}

function carry(client: LinkMachine, node: LinkMachine, nowMs: number) {
	const events = { client: [] as LinkMachineEvent[], node: [] as LinkMachineEvent[] }
	for (let isMoving = true; isMoving; ) {
		isMoving = false
		for (const [from, to] of [
			[client, node],
			[node, client],
		] as const) {
			for (let record = from.pollRecord(nowMs); record !== undefined; record = from.pollRecord(nowMs)) {
				expect(to.receiveRecord(record, nowMs)).toEqual({ ok: true, value: undefined })
				isMoving = true
			}
		}
		drain(client, events.client)
		drain(node, events.node)
	}
	return events
}

function drain(machine: LinkMachine, into: LinkMachineEvent[]): void {
	for (let event = machine.pollEvent(); event !== undefined; event = machine.pollEvent()) into.push(event)
}

test('opens a stream, carries data both ways and closes it', () => {
	const { client, node, run } = createPair()
	const id = client.openStream(SHELL) ?? 0
	expect(client.sendData(id, utf8ToBytes('ls\n'))).toBe(true)
	expect(run(1).node).toEqual([
		{ kind: 'stream_open', streamId: 2, open: { op: 'open_stream', id: 2, ...SHELL } },
		{ kind: 'data', streamId: 2, fd: undefined, bytes: utf8ToBytes('ls\n') },
		{ kind: 'pong', rttMs: 0 },
	])
	node.consume(id, 3)
	node.acceptStream(id)
	node.sendData(id, utf8ToBytes('a b\n'))
	node.sendStreamMessage(id, { op: 'exit', status: 0 })
	node.endStream(id)
	client.endStream(id)
	const done = run(2)
	expect(done.client.map((event) => event.kind)).toEqual([
		'stream_opened',
		'data',
		'stream_message',
		'stream_end',
		'stream_closed',
	])
	expect(done.node.map((event) => event.kind)).toEqual(['stream_end', 'stream_closed'])
	client.consume(id, 4)
	expect(client.stats().streams).toBe(0)
	expect(node.stats().streams).toBe(0)
})

test('lets the messages of a stream go out before its reset, and drops its data and its exit', () => {
	const { client, node, run } = createPair()
	const id = client.openStream({ kind: 'ssh', class: 'interactive', cols: 80, rows: 24 }) ?? 0
	run(1)
	const window = client.stats().streams
	// More than the client's window takes: what is queued after it waits.
	node.sendData(id, new Uint8Array(1024 * 1024))
	const hostKey = {
		op: 'host_key',
		host: 'db',
		port: 22,
		key_type: 'ssh-ed25519',
		fingerprint: 'SHA256:x',
		state: 'changed',
	} as const
	run(2)
	node.sendStreamMessage(id, hostKey)
	node.sendStreamMessage(id, { op: 'exit', status: 0 })
	node.resetStream(id, 'host_key_changed')
	expect(run(3).client).toMatchObject([
		{ kind: 'stream_message', streamId: id, message: hostKey },
		{ kind: 'stream_reset', streamId: id, code: 'host_key_changed' },
	])
	expect(window).toBe(1)
	expect(client.stats().streams + node.stats().streams).toBe(0)
	expect(node.pollRecord(4)).toBeUndefined()
})

test('replays what a lost connection took with it', () => {
	const { client, node, run } = createPair()
	const id = client.openStream({ kind: 'tcp', class: 'bulk' }) ?? 0
	run(1)
	const content = Uint8Array.from({ length: 150_000 }, (_, index) => index % 251)
	client.sendData(id, content)
	const first = client.pollRecord(2)
	expect(first?.length).toBeGreaterThan(16_000)
	client.connectionLost()
	node.connectionLost()
	const received = { client: client.freezeReceived(), node: node.freezeReceived() }
	expect(client.connectionUp(3, received.node).ok).toBe(true)
	expect(node.connectionUp(3, received.client).ok).toBe(true)
	const delivered = run(4).node.flatMap((event) => (event.kind === 'data' ? [...event.bytes] : []))
	expect(Uint8Array.from(delivered)).toEqual(content)
})
