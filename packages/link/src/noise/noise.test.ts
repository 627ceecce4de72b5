import { LIMITS } from '@sallyport/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { driversUnderTest, fromHex, nodeCrypto, toHex, withFixed } from '../../../../test/support/crypto.ts'
import { readNoiseVectors } from '../../../../test/support/outside-vectors.ts'
import { runCrypto, runCryptoSync } from '../../../carrier/src/crypto/crypto-driver.ts'
import { importNodeAgreementKey } from '../../../carrier/src/node/crypto-node.ts'
import { open, seal } from '../crypto/crypto-effects.ts'
import { nextKey, noiseNonce, REKEY_NONCE } from '../crypto/nonce.ts'
import type { NoisePattern, NoiseResult, NoiseState } from './noise.ts'
import { finishNoise, readNoise, startNoise, withPsk, writeNoise } from './noise.ts'

const vectors = readNoiseVectors()?.filter(({ protocol_name }) => /^Noise_XX(psk3)?_25519_AESGCM_SHA256$/.test(protocol_name))
const cases = driversUnderTest.flatMap((under) =>
	(vectors ?? []).map((vector) => ({ name: `${vector.protocol_name} by ${under.name} crypto`, under, vector })),
)
const EMPTY = new Uint8Array(0)

function valueOf<T>(result: NoiseResult<T>): T {
	if (!result.ok) throw new Error(`unexpected ${result.error}`)
	return result.value
}

if (vectors === undefined) it.skip('outside noise vectors: ../shared/vectors/noise is not there', () => undefined)
else {
	it('finds the vectors of both patterns', () => {
		expect(vectors).toHaveLength(2)
	})

	it.each(cases)('reproduces the outside vector of $name', async ({ under, vector }) => {
		const pattern: NoisePattern = vector.protocol_name.includes('psk3') ? 'XXpsk3' : 'XX'
		const prologue = fromHex(vector.init_prologue)
		const key = (hex: string) => under.importAgreementKey(fromHex(hex))
		const start = async (role: 'initiator' | 'responder', staticHex: string): Promise<NoiseState> => {
			const state = await runCrypto(under.driver, startNoise({ pattern, role, prologue, staticKey: await key(staticHex) }))
			const [psk] = vector.init_psks ?? []
			return psk === undefined ? state : withPsk(state, fromHex(psk))
		}
		const initiatorCrypto = withFixed(under.driver, { keys: [await key(vector.init_ephemeral)] })
		const responderCrypto = withFixed(under.driver, { keys: [await key(vector.resp_ephemeral)] })
		let initiator = await start('initiator', vector.init_static)
		let responder = await start('responder', vector.resp_static)
		for (const [index, message] of vector.messages.slice(0, 3).entries()) {
			const isInitiators = index % 2 === 0
			const written = valueOf(
				await runCrypto(
					isInitiators ? initiatorCrypto : responderCrypto,
					writeNoise(isInitiators ? initiator : responder, fromHex(message.payload)),
				),
			)
			expect(toHex(written.message)).toBe(message.ciphertext)
			const read = valueOf(
				await runCrypto(under.driver, readNoise(isInitiators ? responder : initiator, fromHex(message.ciphertext))),
			)
			expect(toHex(read.payload)).toBe(message.payload)
			initiator = isInitiators ? written.state : read.state
			responder = isInitiators ? read.state : written.state
		}
		const keys = await runCrypto(under.driver, finishNoise(initiator))
		expect(toHex(keys.handshakeHash)).toBe(vector.handshake_hash)
		expect(await runCrypto(under.driver, finishNoise(responder))).toEqual(keys)
		// The fourth message is the responder's first, then both take turns.
		for (const [index, message] of vector.messages.slice(3).entries()) {
			const sendKey = index % 2 === 0 ? keys.responderKey : keys.initiatorKey
			const nonce = noiseNonce(Math.floor(index / 2))
			const sealed = await runCrypto(under.driver, seal(sendKey, nonce, EMPTY, fromHex(message.payload)))
			expect(toHex(sealed)).toBe(message.ciphertext)
			expect(toHex((await runCrypto(under.driver, open(sendKey, nonce, EMPTY, sealed))) ?? EMPTY)).toBe(message.payload)
		}
	})
}

const run = <T>(work: Parameters<typeof runCryptoSync<T>>[1]): T => runCryptoSync(nodeCrypto, work)
const staticKey = importNodeAgreementKey(new Uint8Array(32).fill(3))
const prologue = Uint8Array.of(1)
const begin = (role: 'initiator' | 'responder', pattern: NoisePattern = 'XXpsk3'): NoiseState =>
	run(startNoise({ pattern, role, prologue, staticKey }))

describe('noise', () => {
	it('says which message is too short, and stays usable after it', () => {
		const responder = begin('responder')
		expect(run(readNoise(responder, new Uint8Array(31)))).toEqual({ ok: false, error: 'message_truncated' })
		expect(run(readNoise(responder, new Uint8Array(40)))).toEqual({ ok: false, error: 'message_truncated' })
		const first = valueOf(run(writeNoise(begin('initiator'), Uint8Array.of(9))))
		expect(valueOf(run(readNoise(responder, first.message))).payload).toEqual(Uint8Array.of(9))
		expect(run(readNoise(first.state, new Uint8Array(32 + 47).fill(9)))).toEqual({ ok: false, error: 'message_truncated' })
		expect(run(readNoise(first.state, new Uint8Array(32 + 48).fill(9)))).toEqual({ ok: false, error: 'message_forged' })
	})

	it.each(['XX', 'XXpsk3'] as const)('refuses keys of low order in %s', (pattern) => {
		const first = valueOf(run(writeNoise(begin('initiator', pattern), EMPTY)))
		expect(run(readNoise(first.state, new Uint8Array(96)))).toEqual({ ok: false, error: 'key_refused' })
		const zeroFirst = run(readNoise(begin('responder', 'XX'), new Uint8Array(32)))
		expect(run(writeNoise(withPsk(valueOf(zeroFirst).state, new Uint8Array(32)), EMPTY))).toEqual({
			ok: false,
			error: 'key_refused',
		})
	})

	it('throws for calls out of turn, for an early end and for a missing or wrong psk', () => {
		expect(() => run(writeNoise(begin('responder'), EMPTY))).toThrow("responder can't write as message 1")
		expect(() => run(readNoise(begin('initiator'), EMPTY))).toThrow("initiator can't read as message 1")
		expect(() => run(finishNoise(begin('initiator')))).toThrow("isn't over after 0 messages")
		expect(() => withPsk(begin('initiator'), new Uint8Array(31))).toThrow('psk of 31 bytes is not 32')
		const first = valueOf(run(writeNoise(begin('initiator'), EMPTY)))
		const second = valueOf(run(writeNoise(valueOf(run(readNoise(begin('responder'), first.message))).state, EMPTY)))
		const replied = valueOf(run(readNoise(first.state, second.message)))
		expect(() => run(writeNoise(replied.state, EMPTY))).toThrow('handshake has no psk yet')
		const third = valueOf(run(writeNoise(withPsk(replied.state, new Uint8Array(32)), EMPTY)))
		expect(() => run(writeNoise(third.state, EMPTY))).toThrow("can't write as message 4")
	})

	it('never throws for arbitrary bytes', () => {
		const first = valueOf(run(writeNoise(begin('initiator'), EMPTY)))
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
				expect(run(readNoise(first.state, bytes)).ok).toBe(false)
				expect(run(readNoise(begin('responder'), bytes)).ok).toBe(false)
			}),
			{ numRuns: 200 },
		)
	})

	it('derives the next key from the reserved nonce, as the specification says', () => {
		const key = new Uint8Array(32).fill(5)
		const sealed = run(seal(key, REKEY_NONCE, EMPTY, new Uint8Array(32)))
		expect(run(nextKey(key))).toEqual(sealed.slice(0, 32))
		expect(run(nextKey(key))).not.toEqual(key)
	})

	it('writes counters above 32 bits into nonces', () => {
		expect(toHex(noiseNonce(LIMITS.recordsPerKey))).toBe('000000000000000000100000')
		expect(toHex(noiseNonce(2 ** 53 - 1))).toBe('00000000001fffffffffffff')
	})
})
