import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { equalBytes } from './bytes.ts'
import type { SigningPurpose } from './signing.ts'
import { signingInput } from './signing.ts'

const filled = (value: number): Uint8Array => new Uint8Array(32).fill(value)
const privateKey = createPrivateKey({
	key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), filled(0x11)]),
	format: 'der',
	type: 'pkcs8',
})

const acts: readonly SigningPurpose[] = [
	{ purpose: 'node_auth', challenge: filled(1), origin: 'https://relay.example', relayId: 'relay-0001', nodeId: 'a'.repeat(52) },
	{
		purpose: 'enrol',
		origin: 'https://relay.example',
		tokenId: 'token0000001',
		identityKey: filled(2),
		timestampMs: 1_795_305_600_000,
	},
	{
		purpose: 'admission',
		challenge: filled(1),
		origin: 'https://relay.example',
		relayId: 'relay-0001',
		nodeId: 'a'.repeat(52),
		sessionId: 'session-0001',
	},
	{
		purpose: 'vouch',
		requestId: 'request-0001',
		nonce: filled(3),
		sessionId: 'session-0001',
		verdict: 'valid',
		admissionKey: filled(4),
		user: 'user-0001',
		notAfterMs: 1_795_305_660_000,
		epoch: 7,
	},
	{ purpose: 'session_revoked', nodeId: 'a'.repeat(52), sessionId: 'all', epoch: 8 },
]

describe('what identity keys sign', () => {
	it('is as published, byte for byte', () => {
		const path = fileURLToPath(new URL('../../../vectors/signatures.json', import.meta.url))
		const actual = acts.map((act) => ({
			purpose: act.purpose,
			fields: Object.fromEntries(
				Object.entries(act)
					.filter(([name]) => name !== 'purpose')
					.map(([name, value]) => [name, value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value]),
			),
			identity_seed: Buffer.from(filled(0x11)).toString('hex'),
			input: Buffer.from(signingInput(act)).toString('hex'),
			signature: sign(null, signingInput(act), privateKey).toString('hex'),
		}))
		if (process.env['WRITE_VECTORS'] === '1') writeFileSync(path, `${JSON.stringify(actual, undefined, '\t')}\n`)
		expect(actual).toEqual(JSON.parse(readFileSync(path, 'utf8')))
	})

	it('is good for no other purpose', () => {
		for (const act of acts) {
			const signature = sign(null, signingInput(act), privateKey)
			const accepted = acts.filter((other) => verify(null, signingInput(other), createPublicKey(privateKey), signature))
			expect(accepted).toEqual([act])
		}
	})

	it('changes with every field', () => {
		for (const act of acts) {
			for (const [name, value] of Object.entries(act).filter(([field]) => field !== 'purpose')) {
				const changed = value instanceof Uint8Array ? filled(99) : typeof value === 'number' ? value + 1 : `${String(value)}x`
				expect([act.purpose, name, equalBytes(signingInput(act), signingInput({ ...act, [name]: changed }))]).toEqual([
					act.purpose,
					name,
					false,
				])
			}
		}
	})

	it('never lets one field run into the next', () => {
		fc.assert(
			fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (origin, relayId, origin2, relayId2) => {
				fc.pre(origin !== origin2 || relayId !== relayId2)
				const base = { purpose: 'node_auth', challenge: filled(1), nodeId: 'n' } as const
				expect(signingInput({ ...base, origin, relayId })).not.toEqual(
					signingInput({ ...base, origin: origin2, relayId: relayId2 }),
				)
			}),
		)
	})
})
