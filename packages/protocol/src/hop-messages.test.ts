import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import vectors from '../../../vectors/hop-messages.json' with { type: 'json' }
import { utf8ToBytes } from './bytes.ts'
import { encodeMessage } from './encode.ts'
import {
	parseClientMessage,
	parseLinkBoundMessage,
	parseLinkSocketMessage,
	parseNodeBoundMessage,
	parseNodeMessage,
	parseServerMessage,
} from './hop-messages.ts'
import { LIMITS } from './limits.ts'
import { FAULT_CODES } from './result.ts'

const DIRECTIONS = [
	{ name: 'relay to client', parse: parseServerMessage, golden: vectors.relay_to_client, maxBytes: LIMITS.hopMessageBytes },
	{ name: 'client to relay', parse: parseClientMessage, golden: vectors.client_to_relay, maxBytes: LIMITS.hopMessageBytes },
	{
		name: 'relay to node',
		parse: parseNodeBoundMessage,
		golden: vectors.relay_to_node,
		maxBytes: LIMITS.nodeControlMessageBytes,
	},
	{ name: 'node to relay', parse: parseNodeMessage, golden: vectors.node_to_relay, maxBytes: LIMITS.nodeControlMessageBytes },
	{ name: 'relay to link socket', parse: parseLinkBoundMessage, golden: vectors.relay_to_link, maxBytes: LIMITS.hopMessageBytes },
	{
		name: 'link socket to relay',
		parse: parseLinkSocketMessage,
		golden: vectors.link_to_relay,
		maxBytes: LIMITS.hopMessageBytes,
	},
] as const

describe.each(DIRECTIONS)('$name', ({ parse, golden, maxBytes }) => {
	it('reads each golden message and writes it again unchanged', () => {
		expect(golden.length).toBeGreaterThan(0)
		for (const message of golden) {
			const parsed = parse(JSON.stringify(message))
			expect(parsed).toMatchObject({ ok: true })
			expect(parsed.ok && JSON.parse(encodeMessage(parsed.value))).toEqual(message)
			expect(parse(utf8ToBytes(JSON.stringify(message)))).toEqual(parsed)
		}
	})

	it('ignores fields that this version does not know', () => {
		for (const message of golden) {
			expect(parse(JSON.stringify({ ...message, later_field: [1] }))).toEqual(parse(JSON.stringify(message)))
		}
	})

	it('keeps exactly its size limit', () => {
		const text = JSON.stringify(golden[0])
		expect(parse(text + ' '.repeat(maxBytes - text.length))).toMatchObject({ ok: true })
		expect(parse(text + ' '.repeat(maxBytes - text.length + 1))).toMatchObject({ error: { code: 'MESSAGE_TOO_LARGE' } })
	})

	it('refuses an unknown op, names of object methods included', () => {
		for (const op of ['later_op', 'constructor', '__proto__', 'toString', 'hasOwnProperty', '']) {
			expect(parse(JSON.stringify({ op }))).toMatchObject({ ok: false, error: { code: 'OP_UNKNOWN' } })
		}
	})

	it.each(['[]', 'null', '1', '"hello"', '{}', '{"op":1}', '[{"op":"hello"}]'])('refuses %s', (text) => {
		expect(parse(text)).toMatchObject({ ok: false, error: { code: 'MESSAGE_INVALID' } })
	})

	it('answers one changed or missing field by a value or a typed fault, never an exception', () => {
		const change = fc.record({
			message: fc.constantFrom(...golden),
			field: fc.nat(),
			value: fc.option(fc.jsonValue(), { nil: undefined }),
		})
		fc.assert(
			fc.property(change, ({ message, field, value }) => {
				const keys = Object.keys(message)
				const key = keys[field % keys.length] ?? 'op'
				expectTyped(parse(JSON.stringify({ ...message, [key]: value })))
			}),
		)
	})

	it('answers arbitrary json and bytes by a value or a typed fault, never an exception', () => {
		const input = fc.oneof(fc.json(), fc.string(), fc.uint8Array())
		fc.assert(fc.property(input, (text) => expectTyped(parse(text))))
	})
})

describe('hello', () => {
	it('is version 1 when it names none, so that a token alone is a valid hello', () => {
		expect(parseClientMessage('{"op":"hello","token":"12345678"}')).toEqual({
			ok: true,
			value: { op: 'hello', version: 1, token: '12345678' },
		})
	})

	it.each([
		['a version below zero', { version: -1 }],
		['a version as text', { version: '1' }],
		['a token of 4,097 characters', { token: 'x'.repeat(4097) }],
		['an empty token', { token: '' }],
		['a null token', { token: null }],
		['a node id in upper case', { open: { node_id: 'A'.repeat(52) } }],
		['a node id of 51 characters', { open: { node_id: 'a'.repeat(51) } }],
		['a proof of 63 bytes', { resume: { session_id: 'session-0001', proof: 'A'.repeat(84) } }],
	])('refuses %s', (_what, fields) => {
		expect(parseClientMessage(JSON.stringify({ op: 'hello', ...fields }))).toMatchObject({
			ok: false,
			error: { code: 'MESSAGE_INVALID' },
		})
	})
})

describe('directions', () => {
	it('takes no message of the other direction', () => {
		expect(parseClientMessage('{"op":"opened"}')).toMatchObject({ error: { code: 'OP_UNKNOWN' } })
		expect(parseServerMessage(JSON.stringify(vectors.client_to_relay[0]))).toMatchObject({ error: { code: 'OP_UNKNOWN' } })
		expect(parseNodeMessage(JSON.stringify(vectors.relay_to_node[4]))).toMatchObject({ error: { code: 'OP_UNKNOWN' } })
		expect(parseLinkSocketMessage(JSON.stringify(vectors.client_to_relay[5]))).toMatchObject({ error: { code: 'OP_UNKNOWN' } })
	})
})

function expectTyped(parsed: { ok: true; value: { op: string } } | { ok: false; error: { code: string } }) {
	const outcome = parsed.ok ? parsed.value.op : parsed.error.code
	expect(parsed.ok ? [outcome] : FAULT_CODES).toContain(outcome)
}
