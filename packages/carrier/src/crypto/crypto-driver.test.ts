import type { CryptoOp, CryptoResult } from '@sallyport/link'
import {
	dh,
	generateAgreementKey,
	generateSigningKey,
	hash,
	hmac,
	nextKey,
	open,
	random,
	seal,
	sign,
	verify,
} from '@sallyport/link'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { driversUnderTest, fromHex, nodeCrypto, toHex, webCrypto } from '../../../../test/support/crypto.ts'
import { readX25519Vectors } from '../../../../test/support/outside-vectors.ts'
import { createWebCrypto } from '../browser/crypto-web.ts'
import type { RecordCipher } from './crypto-driver.ts'
import { runCrypto, runCryptoSync } from './crypto-driver.ts'

const vectors = readX25519Vectors()
const EMPTY = new Uint8Array(0)

describe.each(driversUnderTest)('$name crypto', ({ driver, importAgreementKey, name }) => {
	const run = <T>(work: Parameters<typeof runCrypto<T>>[1]): Promise<T> => runCrypto(driver, work)
	const other = name === 'node' ? webCrypto : nodeCrypto

	it.skipIf(vectors === undefined)(
		'agrees with the outside X25519 vectors, and refuses every all-zero secret (../shared/vectors)',
		async () => {
			let refused = 0
			for (const vector of vectors ?? []) {
				const shared = await run(dh(await importAgreementKey(fromHex(vector.private)), fromHex(vector.public)))
				if (/^0+$/.test(vector.shared)) {
					expect([vector.tcId, shared]).toEqual([vector.tcId, undefined])
					refused++
				} else expect([vector.tcId, toHex(shared ?? EMPTY)]).toEqual([vector.tcId, vector.shared])
			}
			expect(vectors).toHaveLength(518)
			expect(refused).toBeGreaterThan(20)
		},
	)

	it('hashes and authenticates like the published examples', async () => {
		const abc = new TextEncoder().encode('abc')
		expect(toHex(await run(hash(abc)))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
		// RFC 4231, test case 1.
		expect(toHex(await run(hmac(new Uint8Array(20).fill(0x0b), new TextEncoder().encode('Hi There'))))).toBe(
			'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
		)
	})

	it('agrees on a secret with the other driver', async () => {
		const ours = await run(generateAgreementKey())
		const theirs = await runCrypto(other, generateAgreementKey())
		const shared = await run(dh(ours, theirs.publicKey))
		expect(shared).toHaveLength(32)
		expect(await runCrypto(other, dh(theirs, ours.publicKey))).toEqual(shared)
	})

	it('signs what the other driver verifies, and refuses all else', async () => {
		const key = await run(generateSigningKey())
		const message = Uint8Array.of(1, 2, 3)
		const signature = await run(sign(key, message))
		expect(await runCrypto(other, verify(key.publicKey, message, signature))).toBe(true)
		expect(await run(verify(key.publicKey, message, signature))).toBe(true)
		expect(await run(verify(key.publicKey, Uint8Array.of(1, 2, 4), signature))).toBe(false)
		expect(await run(verify(key.publicKey, message, signature.slice(1)))).toBe(false)
		expect(await run(verify(key.publicKey.slice(1), message, signature))).toBe(false)
		expect(await run(verify(new Uint8Array(32).fill(255), message, signature))).toBe(false)
	})

	it('opens only what was sealed under the same key, nonce and data', async () => {
		const key = new Uint8Array(32).fill(1)
		const nonce = new Uint8Array(12)
		const data = Uint8Array.of(7)
		const sealed = await run(seal(key, nonce, data, Uint8Array.of(1, 2, 3)))
		expect(sealed).toEqual(await runCrypto(other, seal(key, nonce, data, Uint8Array.of(1, 2, 3))))
		expect(await run(open(key, nonce, data, sealed))).toEqual(Uint8Array.of(1, 2, 3))
		expect(await run(open(key, nonce, EMPTY, sealed))).toBeUndefined()
		expect(await run(open(key, new Uint8Array(12).fill(1), data, sealed))).toBeUndefined()
		expect(await run(open(new Uint8Array(32), nonce, data, sealed))).toBeUndefined()
		expect(await run(open(key, nonce, data, sealed.slice(0, 15)))).toBeUndefined()
	})

	it('gives random bytes', async () => {
		const [left, right] = [await run(random(32)), await run(random(32))]
		expect(left).toHaveLength(32)
		expect(left).not.toEqual(right)
	})

	it('refuses keys of another driver and public keys of another length', async () => {
		const key = await run(generateAgreementKey())
		expect(await run(dh(key, new Uint8Array(31)))).toBeUndefined()
		await expect(run(dh(await runCrypto(other, generateAgreementKey()), key.publicKey))).rejects.toThrow('another crypto driver')
		await expect(run(sign(await runCrypto(other, generateSigningKey()), EMPTY))).rejects.toThrow('another crypto driver')
	})

	describe('record cipher', () => {
		const make = async (): Promise<RecordCipher> => driver.createRecordCipher(new Uint8Array(32).fill(4))

		it('seals parts as one plaintext, alike in both drivers, also after a rekey', async () => {
			const theirs = await other.createRecordCipher(new Uint8Array(32).fill(4))
			const ours = await make()
			for (const counter of [0, 1, 2 ** 32 + 1]) {
				const record = await ours.seal(counter, [Uint8Array.of(1, 2), EMPTY, Uint8Array.of(3)])
				expect(new Uint8Array(record)).toEqual(new Uint8Array(await theirs.seal(counter, [Uint8Array.of(1, 2, 3)])))
				expect(await theirs.open(counter, record)).toEqual(Uint8Array.of(1, 2, 3))
				ours.rekey()
				theirs.rekey()
			}
		})

		it('rekeys as the specification says', async () => {
			const cipher = await make()
			cipher.rekey()
			const key = await run(nextKey(new Uint8Array(32).fill(4)))
			const expected = await run(seal(key, new Uint8Array(12), EMPTY, Uint8Array.of(9)))
			expect(new Uint8Array(await cipher.seal(0, [Uint8Array.of(9)]))).toEqual(expected)
		})

		it('opens nothing but the very record of that counter', async () => {
			const cipher = await make()
			const record = await cipher.seal(5, [new Uint8Array(40)])
			for (let position = 0; position < record.length; position++) {
				const changed = new Uint8Array(record)
				changed[position] = (changed[position] ?? 0) ^ (1 << (position % 8))
				expect(await cipher.open(5, changed)).toBeUndefined()
			}
			expect(await cipher.open(4, record)).toBeUndefined()
			expect(await cipher.open(5, record.slice(0, 15))).toBeUndefined()
			expect(await cipher.open(5, record)).toEqual(new Uint8Array(40))
		})

		it('refuses to work once it was wiped', async () => {
			const cipher = await make()
			cipher.wipe()
			cipher.wipe()
			await expect((async () => cipher.seal(0, [EMPTY]))()).rejects.toThrow('wiped')
			await expect((async () => cipher.open(0, new Uint8Array(16)))()).rejects.toThrow('wiped')
			expect(() => cipher.rekey()).toThrow('wiped')
		})

		it('never throws for arbitrary records', async () => {
			const cipher = await make()
			await fc.assert(
				fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.nat(), async (bytes, counter) => {
					expect(await cipher.open(counter, bytes)).toBeUndefined()
				}),
			)
		})
	})
})

describe('running crypto', () => {
	it('gives the same at once and later', async () => {
		expect(runCryptoSync(nodeCrypto, hash(EMPTY))).toEqual(await runCrypto(webCrypto, hash(EMPTY)))
	})

	it.each([
		['a hash', hash(EMPTY), { kind: 'verdict', isValid: true }],
		['a key', generateAgreementKey(), { kind: 'failed' }],
		['a signing key', generateSigningKey(), { kind: 'failed' }],
		['a verdict', verify(EMPTY, EMPTY, EMPTY), { kind: 'bytes', bytes: EMPTY }],
		['an opening', open(EMPTY, EMPTY, EMPTY, new Uint8Array(16)), { kind: 'verdict', isValid: true }],
	] as const)('throws when a driver answers %s with something else', (_, work, answer: CryptoResult) => {
		work.next()
		expect(() => work.next(answer)).toThrow('crypto driver answered')
	})

	it('refuses an all-zero secret even from a driver that lets it pass', () => {
		const lenient = {
			...nodeCrypto,
			perform: (op: CryptoOp): CryptoResult =>
				op.kind === 'dh' ? { kind: 'bytes', bytes: new Uint8Array(32) } : nodeCrypto.perform(op),
		}
		const key = runCryptoSync(nodeCrypto, generateAgreementKey())
		expect(runCryptoSync(lenient, dh(key, new Uint8Array(32)))).toBeUndefined()
	})

	it('says how to open the page when there is no WebCrypto', () => {
		const none: Parameters<typeof createWebCrypto>[0] = undefined
		const saved = Object.getOwnPropertyDescriptor(globalThis, 'crypto')
		Object.defineProperty(globalThis, 'crypto', { value: {}, configurable: true })
		try {
			expect(() => createWebCrypto(none)).toThrow('open it by https')
		} finally {
			if (saved !== undefined) Object.defineProperty(globalThis, 'crypto', saved)
		}
	})
})
