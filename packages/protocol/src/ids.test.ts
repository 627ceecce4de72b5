import { createHash } from 'node:crypto'
import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import vectors from '../../../vectors/certificates.json' with { type: 'json' }
import {
	deviceIdFromHash,
	deviceIdInput,
	deviceIdSchema,
	fingerprintOf,
	linkIdSchema,
	nodeIdFromHash,
	nodeIdInput,
	nodeIdSchema,
	relayIdSchema,
	sessionIdSchema,
	shortId,
	terminalIdSchema,
	userIdSchema,
} from './ids.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())
const key = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe('ids of nodes and devices', () => {
	it.each(vectors)('are those published for a $role', (vector) => {
		const identityKey = new Uint8Array(Buffer.from(vector.identity_key, 'hex'))
		const id =
			vector.role === 'node'
				? nodeIdFromHash(sha256(nodeIdInput(identityKey)))
				: deviceIdFromHash(sha256(deviceIdInput(identityKey)))
		expect(id).toBe(vector.id)
	})

	it('differ by role and by key, and pass their own schema', () => {
		fc.assert(
			fc.property(key, key, (one, other) => {
				const nodeId = nodeIdFromHash(sha256(nodeIdInput(one)))
				expect(v.is(nodeIdSchema, nodeId)).toBe(true)
				expect(v.is(deviceIdSchema, deviceIdFromHash(sha256(deviceIdInput(one))))).toBe(true)
				expect(String(nodeId)).not.toBe(String(deviceIdFromHash(sha256(deviceIdInput(one)))))
				fc.pre(Buffer.compare(one, other) !== 0)
				expect(nodeId).not.toBe(nodeIdFromHash(sha256(nodeIdInput(other))))
			}),
		)
	})

	it.each(['', 'a'.repeat(51), 'a'.repeat(53), 'A'.repeat(52), `${'a'.repeat(51)}1`, `${'a'.repeat(52)}\n`, 7, null])(
		'refuse %j',
		(value) => {
			expect(v.is(nodeIdSchema, value)).toBe(false)
			expect(v.is(deviceIdSchema, value)).toBe(false)
		},
	)

	it('are compared by 80 bits', () => {
		const id = 'abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst'
		expect(fingerprintOf(v.parse(nodeIdSchema, id))).toBe('abcd-efgh-ijkl-mnop')
		expect(fingerprintOf(v.parse(deviceIdSchema, id))).toBe('abcd-efgh-ijkl-mnop')
	})

	it('are shown short', () => {
		expect(shortId(v.parse(nodeIdSchema, `abcdefgh${'a'.repeat(44)}`))).toBe('abcd-efgh')
	})
})

describe.each([
	['relay', relayIdSchema],
	['user', userIdSchema],
	['session', sessionIdSchema],
	['link', linkIdSchema],
	['terminal', terminalIdSchema],
] as const)('ids of a %s', (_, schema) => {
	it('are plain characters, 8 to 64', () => {
		for (const good of ['abcdefgh', 'A-_9'.repeat(16)]) expect(v.parse(schema, good)).toBe(good)
		for (const bad of [
			'',
			'abcdefg',
			'a'.repeat(65),
			'../../etc',
			'abc def gh',
			'abcdefgh\n',
			"a'b--cdef",
			'ééééééééé',
			12345678,
		]) {
			expect([bad, v.is(schema, bad)]).toEqual([bad, false])
		}
	})
})
