import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import vectors from '../../../vectors/link-messages.json' with { type: 'json' }
import { utf8ToBytes } from './bytes.ts'
import { encodeMessage } from './encode.ts'
import { LIMITS } from './limits.ts'
import type { LinkMessage, ParsedLinkMessage } from './link-messages.ts'
import { isConnectionMessage, isStreamMessage, parseLinkMessage, STREAM_OPS, UNSEQUENCED_OPS } from './link-messages.ts'
import type { Result } from './result.ts'
import { FAULT_CODES } from './result.ts'

/** How each op is carried; the compiler keeps this whole. */
const CARRIED = {
	link_ready: 'connection',
	resumed: 'connection',
	session_gone: 'connection',
	pairing_required: 'connection',
	link_refused: 'connection',
	pair_commit: 'connection',
	pair_queued: 'connection',
	pair_nonce: 'connection',
	pair_reveal: 'connection',
	pair_approved: 'connection',
	pair_failed: 'connection',
	pair_confirm: 'connection',
	ack: 'connection',
	window: 'connection',
	ping: 'connection',
	pong: 'connection',
	open_stream: 'stream',
	stream_opened: 'stream',
	stream_end: 'stream',
	stream_reset: 'stream',
	resize: 'stream',
	signal: 'stream',
	exit: 'stream',
	login_prompt: 'stream',
	login_answer: 'stream',
	host_key: 'stream',
	list_terminals: 'link',
	terminals: 'link',
	end_terminal: 'link',
	rename_terminal: 'link',
	list_sessions: 'link',
	sessions: 'link',
	revoke_session: 'link',
	approve_pairing: 'link',
	deny_pairing: 'link',
	pairing_approved: 'link',
	done: 'link',
	failed: 'link',
	unsupported: 'link',
	pairing_request: 'link',
	pairing_ended: 'link',
	device_paired: 'link',
	terminals_changed: 'link',
	close_link: 'link',
} as const satisfies Record<LinkMessage['op'], 'connection' | 'stream' | 'link'>

const parse = (value: unknown) => parseLinkMessage(utf8ToBytes(JSON.stringify(value)))

/** The message in a parse that must have given one. */
function known(parsed: Result<ParsedLinkMessage>): LinkMessage {
	if (!parsed.ok || parsed.value.op === 'unknown') throw new Error(`no known message: ${JSON.stringify(parsed)}`)
	return parsed.value
}

describe('golden messages', () => {
	it('hold one of each op', () => {
		expect(new Set(vectors.map((message) => message.op))).toEqual(new Set(Object.keys(CARRIED)))
	})

	it.each(vectors)('$op is read and written again unchanged', (message) => {
		expect(JSON.parse(encodeMessage(known(parse(message))))).toEqual(message)
	})

	it.each(vectors)('$op keeps its place in or outside the sequence', (message) => {
		const parsed = known(parse(message))
		expect(isConnectionMessage(parsed)).toBe(CARRIED[parsed.op] === 'connection')
		expect(isStreamMessage(parsed)).toBe(CARRIED[parsed.op] === 'stream')
		expect(UNSEQUENCED_OPS.has(parsed.op)).toBe(CARRIED[parsed.op] === 'connection')
		expect(STREAM_OPS.has(parsed.op)).toBe(CARRIED[parsed.op] === 'stream')
	})

	it.each(vectors)('$op ignores fields that this version does not know', (message) => {
		expect(parse({ ...message, later_field: 1 })).toEqual(parse(message))
	})
})

describe('unknown ops', () => {
	it('keep their id, so that they can be answered', () => {
		expect(parse({ op: 'later_op', id: 7 })).toEqual({ ok: true, value: { op: 'unknown', name: 'later_op', id: 7 } })
	})

	it.each([[undefined], [0], [-1], [1.5], [2 ** 32], ['7'], [null]])('have no id when it is %j', (id) => {
		expect(parse({ op: 'later_op', id })).toEqual({ ok: true, value: { op: 'unknown', name: 'later_op' } })
	})

	it('may be streams of an unknown kind, so that an older node can refuse them', () => {
		const open = { op: 'open_stream', kind: 'telnet', class: 'interactive' }
		expect(parse({ ...open, id: 2 })).toEqual({ ok: true, value: { op: 'unknown', name: 'open_stream', id: 2 } })
		expect(parse({ ...open, id: -2 })).toEqual({ ok: true, value: { op: 'unknown', name: 'open_stream' } })
		expect(parse({ ...open, id: 2, kind: 7 })).toMatchObject({ ok: false, error: { code: 'MESSAGE_INVALID' } })
	})

	it.each(['constructor', '__proto__', 'toString', 'unknown'])('%s is one of them', (op) => {
		expect(parse({ op })).toEqual({ ok: true, value: { op: 'unknown', name: op } })
	})

	it('give at most 64 characters of their name', () => {
		expect(parse({ op: 'x'.repeat(5000) })).toEqual({ ok: true, value: { op: 'unknown', name: 'x'.repeat(64) } })
	})
})

describe('limits', () => {
	it('takes 16 KiB and refuses one byte more', () => {
		const text = JSON.stringify({ op: 'done', id: 1 })
		const fill = LIMITS.controlFrameBytes - text.length
		expect(parseLinkMessage(utf8ToBytes(text + ' '.repeat(fill)))).toMatchObject({ ok: true })
		expect(parseLinkMessage(utf8ToBytes(text + ' '.repeat(fill + 1)))).toMatchObject({ error: { code: 'MESSAGE_TOO_LARGE' } })
	})

	it.each([
		['a stream without an id', { op: 'stream_end' }],
		['stream id 0', { op: 'stream_end', id: 0 }],
		['a stream id beyond 32 bits', { op: 'stream_end', id: 2 ** 32 }],
		['a bulk shell', { op: 'open_stream', id: 2, kind: 'shell', class: 'bulk', cols: 80, rows: 24 }],
		['a terminal of no columns', { op: 'resize', id: 2, cols: 0, rows: 24 }],
		['an exec of nothing', { op: 'open_stream', id: 2, kind: 'exec', class: 'bulk', argv: [] }],
		['an exec of 257 words', { op: 'open_stream', id: 2, kind: 'exec', class: 'bulk', argv: new Array(257).fill('a') }],
		['port 0', { op: 'open_stream', id: 2, kind: 'tcp', class: 'bulk', host: 'a', port: 0 }],
		['a signal with its prefix in lower case', { op: 'signal', id: 2, signal: 'sigterm' }],
		['a signal that is an injection', { op: 'signal', id: 2, signal: 'TERM; id' }],
		['five digits', { op: 'approve_pairing', id: 2, request_id: 'a', digits: '12345' }],
		['digits of another script', { op: 'approve_pairing', id: 2, request_id: 'a', digits: '١٢٣٤٥٦' }],
		['a negative offset', { op: 'ack', received: -1 }],
		['an offset beyond 2^53', { op: 'ack', received: 2 ** 53 }],
		['a commit of 31 bytes', { op: 'pair_commit', commit: 'A'.repeat(42) }],
		['a reset with a code of its own', { op: 'stream_reset', id: 2, code: 'because' }],
	])('refuses %s', (_what, message) => {
		expect(parse(message)).toMatchObject({ ok: false, error: { code: 'MESSAGE_INVALID' } })
	})
})

describe('hostile input', () => {
	it('a changed or missing field gives a value or a typed fault', () => {
		const change = fc.record({
			message: fc.constantFrom(...vectors),
			field: fc.nat(),
			value: fc.option(fc.jsonValue(), { nil: undefined }),
		})
		fc.assert(
			fc.property(change, ({ message, field, value }) => {
				const keys = Object.keys(message)
				const key = keys[field % keys.length] ?? 'op'
				expectTyped(parse({ ...message, [key]: value }))
			}),
			{ numRuns: 1000 },
		)
	})

	it('cut short at any byte, a message gives a typed fault', () => {
		fc.assert(
			fc.property(fc.constantFrom(...vectors), fc.nat(), (message, at) => {
				const bytes = utf8ToBytes(JSON.stringify(message))
				const parsed = parseLinkMessage(bytes.subarray(0, at % bytes.length))
				expect(parsed).toMatchObject({ ok: false })
				expectTyped(parsed)
			}),
		)
	})

	it('arbitrary json and bytes give a value or a typed fault', () => {
		const input = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.json().map(utf8ToBytes), fc.string().map(utf8ToBytes))
		fc.assert(fc.property(input, (bytes) => expectTyped(parseLinkMessage(bytes))))
	})
})

function expectTyped(parsed: Result<ParsedLinkMessage>) {
	const outcome = parsed.ok ? parsed.value.op : parsed.error.code
	expect(parsed.ok ? [...Object.keys(CARRIED), 'unknown'] : FAULT_CODES).toContain(outcome)
}
