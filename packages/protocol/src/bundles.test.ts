import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { formatInvite, formatJoinBundle, parseInvite, parseJoinBundle } from './bundles.ts'
import { nodeIdSchema, relayIdSchema } from './ids.ts'
import { formatToken, TOKEN_RANDOM_BYTES, tokenFromRandom } from './tokens.ts'

const refused = { ok: false, error: { code: 'BUNDLE_INVALID' } }
const relayId = v.parse(relayIdSchema, 'relay-0001')
const nodeId = v.parse(nodeIdSchema, 'a'.repeat(52))
const enrolToken = formatToken(tokenFromRandom('enrol', new Uint8Array(TOKEN_RANDOM_BYTES).fill(5)))
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })

const joinBundle = fc.record(
	{
		enrolToken: fc.constant(enrolToken),
		origin: fc.webUrl({ size: 'small' }),
		relay_id: fc.constant(relayId),
		ca_pin: bytes32,
		user: name,
		secret: bytes32,
		device_key: bytes32,
		device_name: name,
		expires: fc.maxSafeNat(),
	},
	{ requiredKeys: ['enrolToken', 'origin', 'relay_id', 'user', 'secret', 'device_key', 'device_name', 'expires'] },
)
const invite = fc.record({
	origin: fc.webUrl({ size: 'small' }),
	relay_id: fc.constant(relayId),
	node_id: fc.constant(nodeId),
	node_name: name,
	invite_id: fc.string({ maxLength: 64 }),
	secret: bytes32,
	expires: fc.maxSafeNat(),
})

const JOIN = {
	enrolToken,
	origin: 'https://relay.example',
	relay_id: relayId,
	user: 'ada',
	secret: new Uint8Array(32).fill(1),
	device_key: new Uint8Array(32).fill(2),
	device_name: 'laptop',
	expires: 1_767_225_600_000,
}

describe('join bundles', () => {
	it('are read back as they were written', () => {
		fc.assert(
			fc.property(joinBundle, (bundle) => {
				expect(parseJoinBundle(formatJoinBundle(bundle))).toEqual({ ok: true, value: bundle })
			}),
		)
	})

	it('are one word that survives shells, chats and spaces around it', () => {
		const text = formatJoinBundle(JOIN)
		expect(text).toMatch(/^sly_join_v1\.[0-9A-Za-z_]+\.[0-9A-Za-z_-]+$/)
		expect(parseJoinBundle(`  ${text}\n`)).toEqual({ ok: true, value: JOIN })
	})

	it('carry the enrol token apart from the pairing secret', () => {
		const [, token, secrets] = formatJoinBundle(JOIN).split('.')
		expect(token).toBe(enrolToken)
		expect(secrets).not.toContain(enrolToken)
	})

	it('cut short anywhere are refused, with words on what to do', () => {
		const text = formatJoinBundle(JOIN)
		for (let length = 0; length < text.length; length++) {
			const parsed = parseJoinBundle(text.slice(0, length))
			expect(parsed).toMatchObject(refused)
			expect(parsed.ok ? '' : parsed.error.detail).toMatch(/copy all of it/)
		}
	})

	it('with a token of another kind are refused', () => {
		const pat = formatToken(tokenFromRandom('pat', new Uint8Array(TOKEN_RANDOM_BYTES)))
		expect(parseJoinBundle(formatJoinBundle({ ...JOIN, enrolToken: pat }))).toMatchObject(refused)
	})

	it.each(['sly_join_v2', 'sly_invite_v1', ''])('labelled %j are refused', (label) => {
		expect(parseJoinBundle(formatJoinBundle(JOIN).replace('sly_join_v1', label))).toMatchObject(refused)
	})

	it('with a part more, or longer than 4,096 characters, are refused', () => {
		expect(parseJoinBundle(`${formatJoinBundle(JOIN)}.x`)).toMatchObject(refused)
		expect(parseJoinBundle(`${formatJoinBundle(JOIN)}${'A'.repeat(4096)}`)).toMatchObject(refused)
	})

	it('refuse arbitrary text without throwing', () => {
		fc.assert(
			fc.property(fc.string(), fc.string(), (left, right) => {
				expect(parseJoinBundle(left)).toMatchObject(refused)
				expect(parseJoinBundle(`sly_join_v1.${enrolToken}.${right}`)).toMatchObject(refused)
			}),
		)
	})

	it('never repeat their secret in a refusal', () => {
		const damaged = formatJoinBundle({ ...JOIN, expires: -1 })
		expect(parseJoinBundle(damaged)).toMatchObject(refused)
		expect(JSON.stringify(parseJoinBundle(damaged))).not.toContain(damaged.split('.')[2])
	})
})

describe('invites', () => {
	it('are read back as they were written', () => {
		fc.assert(
			fc.property(invite, (bundle) => {
				expect(parseInvite(formatInvite(bundle))).toEqual({ ok: true, value: bundle })
			}),
		)
	})

	it('fit into a URL fragment unescaped', () => {
		fc.assert(
			fc.property(invite, (bundle) => {
				expect(formatInvite(bundle)).toMatch(/^sly_invite_v1\.[0-9A-Za-z_-]+$/)
			}),
		)
	})

	it('cut short anywhere are refused', () => {
		fc.assert(
			fc.property(invite, fc.nat(), (bundle, at) => {
				const text = formatInvite(bundle)
				expect(parseInvite(text.slice(0, at % text.length))).toMatchObject(refused)
			}),
		)
	})

	it('are no join bundles, nor the other way round', () => {
		expect(parseInvite(formatJoinBundle(JOIN))).toMatchObject(refused)
		expect(parseInvite(`sly_invite_v1.${formatJoinBundle(JOIN).split('.')[2]}`)).toMatchObject(refused)
	})

	it('refuse arbitrary text without throwing', () => {
		fc.assert(
			fc.property(fc.string(), (text) => {
				expect(parseInvite(`sly_invite_v1.${text}`)).toMatchObject(refused)
			}),
		)
	})
})
