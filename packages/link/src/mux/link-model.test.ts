/**
 * Two machines, wires between them, and chance: writes, ends, resets, paused readers, cuts at any point, resumes, moves to
 * another connection. Whatever happens, what was written arrives once and in order, and nothing waits for ever.
 * fast-check prints the seed and the shortest run of a failure.
 */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { LinkMachineEvent } from './events.ts'
import type { LinkMachine } from './link-machine.ts'
import { createLinkMachine } from './link-machine.ts'
import type { LinkRole, WindowLimits } from './link-state.ts'
import { DEFAULT_WINDOW_LIMITS } from './link-state.ts'

const PATTERN_BYTES = 251
const PATTERN = Uint8Array.from({ length: 3 * 1024 * 1024 }, (_, index) => index % PATTERN_BYTES)
const SMALL: WindowLimits = { streams: 12, linkWindowBytes: 96 * 1024, streamWindowBytes: 16 * 1024 }
const MAX_RETAINED_BYTES = 16 * 1024 * 1024

/** What one side knows of a stream: the bytes are those of the pattern, from a place that the stream decides. */
interface ModelStream {
	readonly id: number
	readonly kind: 'shell' | 'tcp' | 'exec'
	readonly isLocal: boolean
	written: number
	received: number
	unconsumed: number
	isFull: boolean
	isPaused: boolean
	hasExited: boolean
	isEnded: boolean
	isPeerEnded: boolean
	isClosed: boolean
	/** Bytes that the peer had written when it said `exit`. */
	exitAt: number | undefined
}

interface Side {
	readonly role: LinkRole
	readonly machine: LinkMachine
	readonly streams: Map<number, ModelStream>
	/** Streams that were reset, by whom doesn't matter. */
	readonly gone: Set<number>
	readonly answers: number[]
	readonly requests: number[]
	wire: Uint8Array[]
}

interface World {
	nowMs: number
	isUp: boolean
	readonly client: Side
	readonly node: Side
}

const side = fc.constantFrom('client' as const, 'node' as const)
const which = fc.nat(30)
const size = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 200_000 }))
const step = fc.oneof(
	{
		weight: 4,
		arbitrary: fc.record({
			do: fc.constant('open' as const),
			side,
			kind: fc.constantFrom('shell' as const, 'tcp' as const, 'exec' as const),
		}),
	},
	{ weight: 14, arbitrary: fc.record({ do: fc.constant('write' as const), side, which, size }) },
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), side, which }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('reset' as const), side, which }) },
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('pause' as const), side, which }) },
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('unpause' as const), side, which }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('request' as const), side }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('resize' as const), side, which }) },
	{ weight: 14, arbitrary: fc.record({ do: fc.constant('send' as const), side, count: fc.integer({ min: 1, max: 8 }) }) },
	{ weight: 14, arbitrary: fc.record({ do: fc.constant('arrive' as const), side, count: fc.integer({ min: 1, max: 8 }) }) },
	{ weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.double({ min: 0, max: 40, noNaN: true }) }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const) }) },
	{ weight: 2, arbitrary: fc.record({ do: fc.constant('resume' as const) }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('thaw' as const), side, count: fc.nat(4) }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

function createWorld(limits: WindowLimits): World {
	const create = (role: LinkRole): Side => ({
		role,
		machine: createLinkMachine({ role, local: limits, peer: limits }),
		streams: new Map(),
		gone: new Set(),
		answers: [],
		requests: [],
		wire: [],
	})
	return { nowMs: 0, isUp: false, client: create('client'), node: create('node') }
}

function other(world: World, from: Side): Side {
	return from === world.client ? world.node : world.client
}

function bytesAt(stream: ModelStream, isFromOpener: boolean, offset: number, length: number): Uint8Array {
	const start = (stream.id * 17 + (isFromOpener ? 3 : 0) + offset) % PATTERN_BYTES
	return PATTERN.subarray(start, start + length)
}

function addStream(at: Side, id: number, kind: ModelStream['kind'], isLocal: boolean): void {
	at.streams.set(id, {
		id,
		kind,
		isLocal,
		written: 0,
		received: 0,
		unconsumed: 0,
		isFull: false,
		isPaused: false,
		hasExited: false,
		isEnded: false,
		isPeerEnded: false,
		isClosed: false,
		exitAt: undefined,
	})
}

function pick(at: Side, index: number): ModelStream | undefined {
	const open = [...at.streams.values()]
	return open[index % Math.max(1, open.length)]
}

function perform(world: World, next: Step): void {
	if (next.do === 'wait') world.nowMs += next.ms
	else if (next.do === 'cut') cut(world)
	else if (next.do === 'resume') resume(world)
	else performAt(world, world[next.side], next)
	settle(world)
}

function performAt(world: World, at: Side, next: Exclude<Step, { do: 'wait' | 'cut' | 'resume' }>): void {
	switch (next.do) {
		case 'open':
			return open(at, next.kind)
		case 'write':
			return write(at, pick(at, next.which), next.size)
		case 'end':
			return end(at, pick(at, next.which))
		case 'reset':
			return reset(at, pick(at, next.which))
		case 'pause':
		case 'unpause': {
			const stream = pick(at, next.which)
			if (stream !== undefined) stream.isPaused = next.do === 'pause'
			return
		}
		case 'request': {
			const id = at.machine.sendRequest({ op: 'list_terminals' })
			if (id !== undefined) at.requests.push(id)
			return
		}
		case 'resize': {
			const stream = pick(at, next.which)
			if (stream !== undefined) at.machine.sendStreamMessage(stream.id, { op: 'resize', cols: 80, rows: 24 })
			return
		}
		case 'send':
			return send(world, at, next.count)
		case 'arrive':
			return arrive(world, at, next.count)
		case 'thaw':
			at.machine.freezeReceived()
			arrive(world, at, next.count)
			expect(at.machine.thaw(world.nowMs)).toMatchObject({ ok: true })
			return
	}
}

function open(at: Side, kind: ModelStream['kind']): void {
	const id =
		kind === 'tcp'
			? at.machine.openStream({ kind, class: 'bulk' })
			: kind === 'exec'
				? at.machine.openStream({ kind, class: 'interactive', argv: ['true'] })
				: at.machine.openStream({ kind, class: 'interactive', cols: 80, rows: 24 })
	if (id !== undefined) addStream(at, id, kind, true)
}

function write(at: Side, stream: ModelStream | undefined, byteCount: number): void {
	if (stream === undefined || stream.isFull || stream.isEnded || stream.hasExited) return
	const bytes = bytesAt(stream, stream.isLocal, stream.written, byteCount)
	stream.written += byteCount
	const fd = stream.kind !== 'exec' ? undefined : stream.isLocal ? 0 : byteCount % 2 === 0 ? 1 : 2
	stream.isFull = !at.machine.sendData(stream.id, bytes, fd)
}

function end(at: Side, stream: ModelStream | undefined): void {
	if (stream === undefined || stream.isEnded) return
	if (!stream.isLocal) at.machine.sendStreamMessage(stream.id, { op: 'exit', status: stream.written })
	stream.isEnded = true
	at.machine.endStream(stream.id)
}

function reset(at: Side, stream: ModelStream | undefined): void {
	if (stream === undefined) return
	at.machine.resetStream(stream.id, 'cancelled')
	forget(at, stream.id)
}

function forget(at: Side, id: number): void {
	at.streams.delete(id)
	at.gone.add(id)
}

function send(world: World, from: Side, count: number): void {
	for (let index = 0; index < count; index++) {
		const record = from.machine.pollRecord(world.nowMs)
		if (record === undefined) return
		expect(record.length).toBeLessThanOrEqual(65_519)
		// A copy, as sealing and opening makes one.
		if (world.isUp) other(world, from).wire.push(record.slice())
	}
}

function arrive(world: World, at: Side, count: number): void {
	for (const record of at.wire.splice(0, count)) expect(at.machine.receiveRecord(record, world.nowMs)).toMatchObject({ ok: true })
}

function cut(world: World): void {
	world.isUp = false
	for (const at of [world.client, world.node]) {
		at.wire = []
		at.machine.connectionLost()
	}
}

/** The client freezes, says what it has; the node freezes, says what it has; both go on. An old connection may be alive. */
function resume(world: World): void {
	const received = { client: world.client.machine.freezeReceived(), node: world.node.machine.freezeReceived() }
	// Arrived on the old connection after the freeze: held, then dropped.
	for (const at of [world.client, world.node]) {
		arrive(world, at, 2)
		at.wire = []
	}
	expect(world.node.machine.connectionUp(world.nowMs, received.client)).toMatchObject({ ok: true })
	expect(world.client.machine.connectionUp(world.nowMs, received.node)).toMatchObject({ ok: true })
	world.isUp = true
}

/** Reads events, consumes what isn't paused, and checks what must always hold. */
function settle(world: World): void {
	for (const at of [world.client, world.node]) {
		for (let event = at.machine.pollEvent(); event !== undefined; event = at.machine.pollEvent()) observe(at, event)
		for (const stream of [...at.streams.values()]) {
			if (!stream.isPaused && stream.unconsumed > 0) {
				at.machine.consume(stream.id, stream.unconsumed)
				stream.unconsumed = 0
			}
			if (stream.isClosed && stream.unconsumed === 0 && stream.isPeerEnded) settleClosed(at, stream)
		}
		const stats = at.machine.stats()
		expect(stats.retainedBytes).toBeLessThanOrEqual(MAX_RETAINED_BYTES)
		expect(stats.unackedBytes).toBeLessThanOrEqual(MAX_RETAINED_BYTES)
	}
}

const finished = new WeakMap<Side, Map<number, { written: number; received: number }>>()

function settleClosed(at: Side, stream: ModelStream): void {
	at.streams.delete(stream.id)
	const done = finished.get(at) ?? new Map()
	done.set(stream.id, { written: stream.written, received: stream.received })
	finished.set(at, done)
}

function observe(at: Side, event: LinkMachineEvent): void {
	switch (event.kind) {
		case 'stream_open': {
			const { kind } = event.open
			if (kind !== 'shell' && kind !== 'tcp' && kind !== 'exec') throw new Error(`opened a ${kind}`)
			addStream(at, event.streamId, kind, false)
			at.machine.acceptStream(event.streamId)
			return
		}
		case 'data': {
			const stream = known(at, event.streamId)
			const expected = bytesAt(stream, !stream.isLocal, stream.received, event.bytes.length)
			if (Buffer.compare(event.bytes, expected) !== 0) throw new Error(`stream ${stream.id} differs at ${stream.received}`)
			stream.received += event.bytes.length
			stream.unconsumed += event.bytes.length
			expect(stream.isPeerEnded || stream.exitAt !== undefined).toBe(false)
			return
		}
		case 'stream_message':
			if (event.message.op === 'exit') {
				const stream = known(at, event.streamId)
				stream.exitAt = event.message.status
				expect(stream.received).toBe(event.message.status)
			}
			return
		case 'stream_end':
			known(at, event.streamId).isPeerEnded = true
			return
		case 'stream_closed':
			known(at, event.streamId).isClosed = true
			return
		case 'stream_reset':
			known(at, event.streamId)
			forget(at, event.streamId)
			return
		case 'drained':
			known(at, event.streamId).isFull = false
			return
		case 'request':
			at.machine.sendMessage({ op: 'terminals', id: event.message.id, terminals: [] })
			return
		case 'answer':
			at.answers.push(event.message.id)
			return
		case 'stream_opened':
			known(at, event.streamId)
			return
		case 'pong':
			return
		case 'notice':
		case 'driver_message':
		case 'link_closed':
			throw new Error(`unexpected ${event.kind}`)
	}
}

function known(at: Side, id: number): ModelStream {
	const stream = at.streams.get(id)
	if (stream === undefined) throw new Error(`an event of stream ${id}, which is over`)
	return stream
}

/** Readers read, the network works: runs until nothing is left to do. */
function finish(world: World): void {
	for (const at of [world.client, world.node]) for (const stream of at.streams.values()) stream.isPaused = false
	settle(world)
	resume(world)
	for (let round = 0; round < 100_000; round++) {
		send(world, world.client, 1000)
		send(world, world.node, 1000)
		const isQuiet = world.client.wire.length + world.node.wire.length === 0
		arrive(world, world.client, 1000)
		arrive(world, world.node, 1000)
		settle(world)
		if (!isQuiet) continue
		const timeouts = [world.client, world.node].map((at) => at.machine.nextTimeoutMs() ?? Number.POSITIVE_INFINITY)
		const nextMs = Math.min(...timeouts)
		if (nextMs === Number.POSITIVE_INFINITY) return
		world.nowMs = Math.max(world.nowMs, nextMs)
	}
	throw new Error('the machines never come to rest')
}

function checkAllArrived(world: World): void {
	const { client, node } = world
	for (const [at, peer] of [
		[client, node],
		[node, client],
	] as const) {
		expect(at.answers.toSorted((a, b) => a - b)).toEqual(at.requests)
		expect(at.machine.stats()).toMatchObject({ unackedBytes: 0, retainedBytes: 0, queuedBytes: 0, unconsumedBytes: 0 })
		for (const stream of at.streams.values()) {
			expect(stream.isFull).toBe(false)
			const there = peer.streams.get(stream.id)
			if (there === undefined) throw new Error(`stream ${stream.id} is open on one side only`)
			expect(there.received).toBe(stream.written)
			expect(there.isPeerEnded).toBe(stream.isEnded)
		}
		for (const id of at.gone) expect(peer.streams.has(id)).toBe(false)
		for (const [id, done] of finished.get(at) ?? []) {
			const there = finished.get(peer)?.get(id)
			// The peer may have reset what this side had seen the end of.
			if (there !== undefined) expect(there).toEqual({ written: done.received, received: done.written })
			else expect(peer.gone.has(id)).toBe(true)
		}
		expect(at.machine.stats().streams).toBe(at.streams.size)
	}
}

function play(limits: WindowLimits, steps: readonly Step[]): void {
	const world = createWorld(limits)
	resume(world)
	for (const next of steps) perform(world, next)
	finish(world)
	checkAllArrived(world)
}

const runs = Number(process.env['MODEL_RUNS'] ?? 150)

test('delivers everything once and in order with small windows, whatever is cut, paused, reset or moved', () => {
	fc.assert(
		fc.property(fc.array(step, { maxLength: 250, size: 'max' }), (steps) => play(SMALL, steps)),
		{ numRuns: runs },
	)
})

test('delivers everything once and in order with the default windows', () => {
	fc.assert(
		fc.property(fc.array(step, { maxLength: 250, size: 'max' }), (steps) => play(DEFAULT_WINDOW_LIMITS, steps)),
		{ numRuns: runs },
	)
})
