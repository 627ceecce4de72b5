import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { utf8ToBytes } from './bytes.ts'
import {
	encodeHandshakePayload,
	type HandshakePayload3,
	parseHandshakePayload1,
	parseHandshakePayload2,
	parseHandshakePayload3,
} from './handshake-payloads.ts'
import { linkIdSchema, sessionIdSchema } from './ids.ts'
import { LIMITS } from './limits.ts'
import { FAULT_CODES } from './result.ts'

const version = fc.maxSafeNat()
const versions = fc.array(version, { minLength: 1, maxLength: 16 })
const features = fc.array(fc.string({ maxLength: 16 }), { maxLength: 32 })
const certificate = fc.uint8Array({ maxLength: 512 })
const id = fc.stringMatching(/^[A-Za-z0-9_-]{8,64}$/)
const sessionId = id.map((text) => v.parse(sessionIdSchema, text))
const linkId = id.map((text) => v.parse(linkIdSchema, text))
const text = (maxLength: number) => fc.string({ minLength: 1, maxLength })

const payload1 = fc.record(
	{ versions, intent: fc.constantFrom('open', 'pair', 'resume'), secret_id: text(64) },
	{ requiredKeys: ['versions', 'intent'] },
)
const payload2 = fc.record({ version, versions, features, certificate })
const payload3: fc.Arbitrary<HandshakePayload3> = fc.oneof(
	fc.record(
		{
			intent: fc.constant('open' as const),
			certificate,
			features,
			session_id: sessionId,
			endorsement: fc.uint8Array({ maxLength: LIMITS.endorsementBytes }),
			replaces: linkId,
		},
		{ requiredKeys: ['intent', 'certificate', 'features'] },
	),
	fc.record({
		intent: fc.constant('pair' as const),
		certificate,
		features,
		device_name: text(128),
		device_kind: fc.constantFrom('browser' as const, 'cli' as const),
	}),
	fc.record({
		intent: fc.constant('resume' as const),
		certificate,
		features,
		link_id: linkId,
		attempt: fc.maxSafeNat(),
		received: fc.maxSafeNat(),
	}),
)

describe('handshake payloads', () => {
	it('of message 1 are read back as they were written', () => {
		fc.assert(
			fc.property(payload1, (payload) => {
				expect(parseHandshakePayload1(encodeHandshakePayload(payload))).toEqual({ ok: true, value: payload })
			}),
		)
	})

	it('of message 2 are read back as they were written', () => {
		fc.assert(
			fc.property(payload2, (payload) => {
				expect(parseHandshakePayload2(encodeHandshakePayload(payload))).toEqual({ ok: true, value: payload })
			}),
		)
	})

	it('of message 3 are read back as they were written, for every intent', () => {
		fc.assert(
			fc.property(payload3, (payload) => {
				const bytes = encodeHandshakePayload(payload)
				fc.pre(bytes.length <= LIMITS.handshakeMessageBytes)
				expect(parseHandshakePayload3(bytes)).toEqual({ ok: true, value: payload })
			}),
		)
	})

	it('longer than a handshake message are refused before they are read', () => {
		const bytes = utf8ToBytes('x'.repeat(LIMITS.handshakeMessageBytes + 1))
		for (const parse of [parseHandshakePayload1, parseHandshakePayload2, parseHandshakePayload3]) {
			expect(parse(bytes)).toMatchObject({ ok: false, error: { code: 'MESSAGE_TOO_LARGE' } })
		}
	})

	it.each([
		['no version', { versions: [], intent: 'open' }],
		['17 versions', { versions: new Array(17).fill(1), intent: 'open' }],
		['a version that is no whole number', { versions: [1.5], intent: 'open' }],
		['an unknown intent', { versions: [1], intent: 'take_over' }],
		['a secret id of 65 characters', { versions: [1], intent: 'pair', secret_id: 'x'.repeat(65) }],
		['no object', []],
	])('of message 1 with %s are refused', (_what, payload) => {
		expect(parseHandshakePayload1(utf8ToBytes(JSON.stringify(payload)))).toMatchObject({
			ok: false,
			error: { code: 'MESSAGE_INVALID' },
		})
	})

	it.each([
		['a certificate of 513 bytes', { intent: 'open', features: [], certificate: 'A'.repeat(684) }],
		['33 features', { intent: 'open', features: new Array(33).fill('f'), certificate: '' }],
		['a resume of no link', { intent: 'resume', features: [], certificate: '', attempt: 1, received: 0 }],
		[
			'a resume to a negative offset',
			{ intent: 'resume', features: [], certificate: '', link_id: 'link-0001', attempt: 1, received: -1 },
		],
		['a pairing device without a name', { intent: 'pair', features: [], certificate: '', device_name: '', device_kind: 'cli' }],
		['an endorsement of 1,026 bytes', { intent: 'open', features: [], certificate: '', endorsement: 'A'.repeat(1368) }],
	])('of message 3 with %s are refused', (_what, payload) => {
		expect(parseHandshakePayload3(utf8ToBytes(JSON.stringify(payload)))).toMatchObject({
			ok: false,
			error: { code: 'MESSAGE_INVALID' },
		})
	})

	it('give a value or a typed fault for arbitrary bytes and json, never an exception', () => {
		const input = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.json().map(utf8ToBytes))
		fc.assert(
			fc.property(input, (bytes) => {
				for (const parse of [parseHandshakePayload1, parseHandshakePayload2, parseHandshakePayload3]) {
					const parsed = parse(bytes)
					expect(parsed.ok ? [] : [parsed.error.code]).toSatisfy((codes: string[]) => codes.every((code) => isFault(code)))
				}
			}),
		)
	})
})

const isFault = (code: string) => FAULT_CODES.some((known) => known === code)
