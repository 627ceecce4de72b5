/** What a peer that breaks the rules, or only speaks a newer version, gets. */
import type { Frame } from '@sallyport/protocol'
import {
	concatBytes,
	decodeFrames,
	encodeControlFrame,
	encodeDataFrame,
	encodeMessage,
	parseLinkMessage,
	utf8ToBytes,
} from '@sallyport/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LinkMachineEvent } from './events.ts'
import type { LinkMachine } from './link-machine.ts'
import { createLinkMachine } from './link-machine.ts'
import type { WindowLimits } from './link-state.ts'

const SHELL = { op: 'open_stream', kind: 'shell', class: 'interactive', cols: 80, rows: 24 } as const
const EXEC = { op: 'open_stream', kind: 'exec', class: 'bulk', argv: ['true'] } as const
const TINY: WindowLimits = { streams: 2, linkWindowBytes: 1500, streamWindowBytes: 1000 }

type Message = { readonly op: string; readonly [field: string]: unknown }

function say(...messages: readonly Message[]): Uint8Array {
	return concatBytes(messages.map((message) => encodeControlFrame(utf8ToBytes(encodeMessage(message)))))
}

function data(id: number, byteCount: number, fd?: number): Uint8Array {
	const bytes = new Uint8Array(byteCount + (fd === undefined ? 0 : 1))
	if (fd !== undefined) bytes[0] = fd
	return encodeDataFrame(id, bytes)
}

function createNode(local?: WindowLimits): LinkMachine {
	const node = createLinkMachine({ role: 'node', ...(local && { local }) })
	node.connectionUp(0)
	return node
}

function events(machine: LinkMachine): LinkMachineEvent[] {
	const all: LinkMachineEvent[] = []
	for (let event = machine.pollEvent(); event !== undefined; event = machine.pollEvent()) all.push(event)
	return all
}

/** The messages in the records that a machine has to send. */
function said(machine: LinkMachine, nowMs = 1): Message[] {
	const messages: Message[] = []
	for (let record = machine.pollRecord(nowMs); record !== undefined; record = machine.pollRecord(nowMs)) {
		const frames = decodeFrames(record)
		if (!frames.ok) throw new Error(frames.error.detail)
		messages.push(...frames.value.flatMap(readMessage))
	}
	return messages
}

function readMessage(frame: Frame): Message[] {
	if (frame.kind !== 'control') return []
	const message = parseLinkMessage(frame.json)
	if (!message.ok) throw new Error(message.error.detail)
	return [{ ...message.value }]
}

describe('ends the link, and says so to the peer, on', () => {
	test.each<{ what: string; code: string; records: readonly Uint8Array[] }>([
		{ what: 'an ack of bytes never sent', code: 'ACK_OUT_OF_RANGE', records: [say({ op: 'ack', received: 1 })] },
		{ what: 'a stream id of the wrong side', code: 'ID_MISUSED', records: [say({ ...SHELL, id: 1 })] },
		{ what: 'a stream id used twice', code: 'ID_MISUSED', records: [say({ ...SHELL, id: 2 }, { ...SHELL, id: 2 })] },
		{ what: 'a stream id that goes back', code: 'ID_MISUSED', records: [say({ ...SHELL, id: 6 }, { ...SHELL, id: 4 })] },
		{
			what: 'a request with a stream id',
			code: 'ID_MISUSED',
			records: [say({ ...SHELL, id: 2 }, { op: 'list_terminals', id: 2 })],
		},
		{ what: 'a request id of the wrong side', code: 'ID_MISUSED', records: [say({ op: 'list_sessions', id: 3 })] },
		{ what: 'data of a stream never opened', code: 'ID_MISUSED', records: [data(2, 1)] },
		{ what: 'data of a stream of ours never opened', code: 'ID_MISUSED', records: [data(1, 1)] },
		{ what: 'a message of a stream never opened', code: 'ID_MISUSED', records: [say({ op: 'stream_end', id: 8 })] },
		{
			what: 'data after the end',
			code: 'STREAM_STATE_INVALID',
			records: [say({ ...SHELL, id: 2 }, { op: 'stream_end', id: 2 }), data(2, 1)],
		},
		{
			what: 'a second end',
			code: 'STREAM_STATE_INVALID',
			records: [say({ ...SHELL, id: 2 }, { op: 'stream_end', id: 2 }, { op: 'stream_end', id: 2 })],
		},
		{
			what: 'an answer to its own stream',
			code: 'STREAM_STATE_INVALID',
			records: [say({ ...SHELL, id: 2 }, { op: 'stream_opened', id: 2 })],
		},
		{ what: 'more data than the stream allows', code: 'WINDOW_EXCEEDED', records: [say({ ...SHELL, id: 2 }), data(2, 1001)] },
		{
			what: 'more data than the link allows',
			code: 'WINDOW_EXCEEDED',
			records: [say({ ...SHELL, id: 2 }, { ...SHELL, id: 4 }), data(2, 1000), data(4, 501)],
		},
		{
			what: 'more late data than the link allows',
			code: 'WINDOW_EXCEEDED',
			records: [say({ ...SHELL, id: 2 }, { op: 'stream_reset', id: 2, code: 'cancelled' }), data(2, 1501)],
		},
		{ what: 'exec data for an output', code: 'STREAM_STATE_INVALID', records: [say({ ...EXEC, id: 2 }), data(2, 5, 1)] },
		{ what: 'exec data without an fd', code: 'STREAM_STATE_INVALID', records: [say({ ...EXEC, id: 2 }), data(2, 0)] },
	])('$what', ({ code, records }) => {
		const node = createNode(TINY)
		const results = records.map((record) => node.receiveRecord(record, 1))
		expect(results.at(-1)).toMatchObject({ ok: false, error: { scope: 'link', code } })
		expect(events(node).at(-1)).toEqual({ kind: 'link_closed', by: 'fault', code: 'protocol_error', message: code })
		expect(said(node).filter((message) => message.op === 'close_link')).toEqual([
			{ op: 'close_link', code: 'protocol_error', message: code },
		])
		expect(node.isClosed).toBe(true)
		expect(node.receiveRecord(say({ ...SHELL, id: 20 }), 2)).toEqual({ ok: true, value: undefined })
		expect(node.openStream({ kind: 'tcp', class: 'bulk' })).toBeUndefined()
		expect(events(node)).toEqual([])
	})

	test('a resume from bytes never sent, or from inside a frame', () => {
		for (const received of [10_000, 7]) {
			const client = createLinkMachine({ role: 'client' })
			client.connectionUp(0)
			client.openStream({ kind: 'tcp', class: 'bulk' })
			said(client)
			client.connectionLost()
			expect(client.connectionUp(2, received)).toMatchObject({ ok: false, error: { scope: 'link', code: 'RESUME_OUT_OF_RANGE' } })
			expect(events(client).at(-1)).toMatchObject({ kind: 'link_closed', by: 'fault' })
		}
	})

	test('an ack from inside a frame, or of what was acked before', () => {
		const client = createLinkMachine({ role: 'client' })
		client.connectionUp(0)
		client.openStream({ kind: 'tcp', class: 'bulk' })
		said(client)
		const { sentBytes } = client.stats()
		expect(client.receiveRecord(say({ op: 'ack', received: sentBytes }), 1)).toMatchObject({ ok: true })
		expect(client.stats().retainedBytes).toBe(0)
		expect(client.receiveRecord(say({ op: 'ack', received: sentBytes - 1 }), 1)).toMatchObject({ ok: false })
		const other = createLinkMachine({ role: 'client' })
		other.connectionUp(0)
		other.openStream({ kind: 'tcp', class: 'bulk' })
		said(other)
		expect(other.receiveRecord(say({ op: 'ack', received: 6 }), 1)).toMatchObject({ ok: false })
	})

	test('requests without end from a peer that acks no answer', () => {
		const node = createNode()
		let id = 2
		const flood = () => node.receiveRecord(say(...Array.from({ length: 900 }, () => ({ op: 'later_op', id: (id += 2) }))), 1)
		let result = flood()
		for (let round = 0; round < 300 && result.ok; round++) {
			while (node.pollRecord(1) !== undefined);
			result = flood()
			expect(node.stats().retainedBytes).toBeLessThanOrEqual(16 * 1024 * 1024)
		}
		expect(result).toMatchObject({ ok: false, error: { scope: 'link', code: 'CONTROL_OVERFLOW' } })
		expect(said(node)).toContainEqual({ op: 'close_link', code: 'protocol_error', message: 'CONTROL_OVERFLOW' })
	})

	test('a flood while the connection is being replaced', () => {
		const node = createNode()
		node.freezeReceived()
		const record = new Uint8Array(65_000)
		let result = node.receiveRecord(record, 1)
		for (let round = 0; round < 300 && result.ok; round++) result = node.receiveRecord(record, 1)
		expect(result).toMatchObject({ ok: false, error: { scope: 'link', code: 'FROZEN_OVERFLOW' } })
	})
})

describe('ends the connection, and leaves the link, on', () => {
	test.each<{ what: string; code: string; record: Uint8Array }>([
		{ what: 'half a frame', code: 'FRAME_INVALID', record: Uint8Array.of(0, 0, 0, 0) },
		{ what: 'a frame of an unknown protocol', code: 'FRAME_PROTOCOL_UNKNOWN', record: Uint8Array.of(9, 0, 0, 0, 0) },
		{ what: 'a control frame that is not json', code: 'MESSAGE_NOT_JSON', record: encodeControlFrame(utf8ToBytes('{')) },
		{ what: 'a known message with a wrong field', code: 'MESSAGE_INVALID', record: say({ op: 'stream_end', id: 'two' }) },
		{ what: 'an ack with a wrong field', code: 'MESSAGE_INVALID', record: say({ op: 'ack', received: -1 }) },
		{ what: 'a record that is too long', code: 'FRAME_TOO_LARGE', record: new Uint8Array(65_520) },
	])('$what', ({ code, record }) => {
		const node = createNode()
		const before = node.freezeReceived()
		expect(node.thaw(1)).toMatchObject({ ok: true })
		expect(node.receiveRecord(record, 1)).toMatchObject({ ok: false, error: { scope: 'connection', code } })
		node.connectionLost()
		expect(node.freezeReceived()).toBe(before)
		expect(node.connectionUp(2)).toMatchObject({ ok: true })
		expect(node.receiveRecord(say({ ...SHELL, id: 2 }), 3)).toMatchObject({ ok: true })
		expect(events(node)).toMatchObject([{ kind: 'stream_open' }])
	})

	test('a bad record among those held during a move that came to nothing', () => {
		const node = createNode()
		node.freezeReceived()
		node.receiveRecord(Uint8Array.of(9), 1)
		node.receiveRecord(say({ ...SHELL, id: 2 }), 1)
		expect(node.thaw(2)).toMatchObject({ ok: false, error: { scope: 'connection' } })
		expect(events(node)).toEqual([])
	})
})

describe('a peer of a newer version', () => {
	test('is told which of its requests are not known here, and may go on', () => {
		const node = createNode()
		const open = { op: 'open_stream', kind: 'sftp', class: 'bulk' }
		expect(node.receiveRecord(say({ op: 'later_request', id: 2 }, { op: 'later_notice' }, { ...open, id: 4 }), 1).ok).toBe(true)
		expect(node.receiveRecord(data(4, 100), 1).ok).toBe(true)
		expect(said(node).filter((message) => message.op === 'unsupported')).toEqual([
			{ op: 'unsupported', id: 2, what: 'later_request' },
			{ op: 'unsupported', id: 4, what: 'open_stream' },
		])
		expect(node.stats()).toMatchObject({ unconsumedBytes: 0, streams: 0 })
		expect(node.receiveRecord(say({ ...SHELL, id: 6 }), 1).ok).toBe(true)
		expect(events(node)).toMatchObject([{ kind: 'stream_open', streamId: 6 }])
	})

	test('sees its stream refused when it hears that the kind is not known', () => {
		const client = createLinkMachine({ role: 'client' })
		client.connectionUp(0)
		const id = client.openStream({ kind: 'tcp', class: 'bulk' }) ?? 0
		client.sendData(id, new Uint8Array(10))
		expect(client.receiveRecord(say({ op: 'unsupported', id, what: 'open_stream' }), 1).ok).toBe(true)
		expect(client.receiveRecord(say({ op: 'unsupported', id, what: 'open_stream' }), 1).ok).toBe(true)
		expect(events(client)).toEqual([{ kind: 'stream_reset', streamId: id, code: 'unsupported', message: undefined }])
		expect(client.stats()).toMatchObject({ streams: 0, queuedBytes: 0 })
	})

	test('hears what is unsupported about an open stream without losing it', () => {
		const client = createLinkMachine({ role: 'client' })
		client.connectionUp(0)
		const id = client.openStream({ kind: 'tcp', class: 'bulk' }) ?? 0
		client.receiveRecord(say({ op: 'unsupported', id, what: 'later_message' }), 1)
		expect(events(client)).toMatchObject([{ kind: 'answer', message: { op: 'unsupported', what: 'later_message' } }])
		expect(client.stats().streams).toBe(1)
	})
})

test('refuses more streams than it allows, and takes more when one is over', () => {
	const node = createNode(TINY)
	node.receiveRecord(say({ ...SHELL, id: 2 }, { ...SHELL, id: 4 }, { ...SHELL, id: 6 }), 1)
	expect(said(node).filter((message) => message.op === 'stream_reset')).toEqual([
		{ op: 'stream_reset', id: 6, code: 'limit_reached' },
	])
	node.receiveRecord(say({ op: 'stream_reset', id: 2, code: 'cancelled', message: 'enough' }, { ...SHELL, id: 8 }), 1)
	expect(events(node)).toMatchObject([
		{ streamId: 2, kind: 'stream_open' },
		{ streamId: 4, kind: 'stream_open' },
		{ streamId: 2, kind: 'stream_reset', code: 'cancelled', message: 'enough' },
		{ streamId: 8, kind: 'stream_open' },
	])
})

test('answers pings, the latest eight of a flood', () => {
	const node = createNode()
	node.receiveRecord(say(...Array.from({ length: 20 }, (_, token) => ({ op: 'ping', token }))), 1)
	const pongs = said(node).filter((message) => message.op === 'pong')
	expect(pongs.map((message) => message['token'])).toEqual([12, 13, 14, 15, 16, 17, 18, 19])
})

test('ignores late messages, unasked pongs and windows of streams that are over', () => {
	const node = createNode()
	node.receiveRecord(say({ ...SHELL, id: 2 }), 1)
	events(node)
	node.resetStream(2, 'policy_refused', 'no shell here')
	const late = say(
		{ op: 'resize', id: 2, cols: 1, rows: 1 },
		{ op: 'stream_end', id: 2 },
		{ op: 'stream_reset', id: 2, code: 'cancelled' },
		{ op: 'window', id: 2, max: 10 },
		{ op: 'pong', token: 99 },
	)
	expect(node.receiveRecord(concatBytes([late, data(2, 50)]), 1)).toEqual({ ok: true, value: undefined })
	expect(events(node)).toEqual([])
	expect(said(node)).toContainEqual({ op: 'stream_reset', id: 2, code: 'policy_refused', message: 'no shell here' })
})

test('takes credit in any spelling of json', () => {
	const client = createLinkMachine({ role: 'client' })
	client.connectionUp(0)
	client.openStream({ kind: 'tcp', class: 'bulk' })
	said(client)
	const spelled = `{ "received": ${client.stats().sentBytes}, "later": true, "op": "ack" }`
	expect(client.receiveRecord(encodeControlFrame(utf8ToBytes(spelled)), 1)).toMatchObject({ ok: true })
	expect(client.stats().unackedBytes).toBe(0)
})

test('passes on what only the driver, or the application, can act on', () => {
	const node = createNode()
	const answers = [
		{ op: 'sessions', id: 1, sessions: [] },
		{ op: 'pairing_approved', id: 1, return_code: '1234' },
		{ op: 'done', id: 1 },
		{ op: 'failed', id: 1, code: 'internal', message: 'no' },
	]
	const notices = [{ op: 'pairing_ended', request_id: 'r', outcome: 'closed' }, { op: 'terminals_changed' }]
	const driver = [{ op: 'session_gone', reason: 'revoked' }, { op: 'resumed', received: 0 }, { op: 'pairing_required' }]
	node.receiveRecord(say(...answers, ...notices, ...driver), 1)
	const seen = events(node)
	expect(seen.map((event) => event.kind)).toEqual([
		...answers.map(() => 'answer'),
		...notices.map(() => 'notice'),
		...driver.map(() => 'driver_message'),
	])
	expect(seen.map((event) => ('message' in event ? event.message : undefined))).toEqual([...answers, ...notices, ...driver])
})

test('takes arbitrary records without throwing and without keeping more than they hold', () => {
	const frame = fc.oneof(
		fc.uint8Array({ maxLength: 60 }),
		fc.record({ id: fc.nat(9), bytes: fc.uint8Array({ maxLength: 400 }) }).map(({ id, bytes }) => encodeDataFrame(id, bytes)),
		fc
			.record({
				op: fc.constantFrom(
					'open_stream',
					'stream_opened',
					'stream_end',
					'stream_reset',
					'ack',
					'window',
					'ping',
					'exit',
					'close_link',
					'done',
					'x',
				),
				id: fc.nat(9),
				kind: fc.constantFrom('shell', 'exec', 'tcp', 'sftp'),
				class: fc.constantFrom('interactive', 'bulk'),
				cols: fc.constant(80),
				rows: fc.constant(24),
				argv: fc.constant(['a']),
				code: fc.constantFrom('cancelled', 'internal'),
				received: fc.nat(50),
				max: fc.nat(),
				token: fc.nat(),
				message: fc.constant('m'),
			})
			.map((message) => say(message)),
	)
	fc.assert(
		fc.property(fc.array(fc.array(frame, { maxLength: 6 }), { maxLength: 12 }), (records) => {
			const node = createNode(TINY)
			for (const record of records) {
				node.receiveRecord(concatBytes(record), 1)
				for (const event of events(node)) if (event.kind === 'stream_open') node.acceptStream(event.streamId)
				said(node)
				expect(node.stats().unconsumedBytes).toBeLessThanOrEqual(TINY.linkWindowBytes)
				expect(node.stats().streams).toBeLessThanOrEqual(TINY.streams)
			}
		}),
		{ numRuns: 300 },
	)
})
