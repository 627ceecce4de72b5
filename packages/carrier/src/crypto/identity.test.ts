import { checkSerial } from '@sallyport/link'
import { LIMITS } from '@sallyport/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { driversUnderTest, nodeCrypto, webCrypto } from '../../../../test/support/crypto.ts'
import { WebAgreementKey, WebSigningKey } from '../browser/crypto-web.ts'
import { identityToStored, storedToIdentity } from '../browser/identity-web.ts'
import { exportIdentity, importIdentity } from '../node/identity-node.ts'
import { runCrypto, runCryptoSync } from './crypto-driver.ts'
import { deviceIdOf, identityCertificate, makeIdentity, nodeIdOf, renewIdentity } from './identity.ts'

const NOW = Date.UTC(2026, 10, 22)

describe.each(driversUnderTest)('identities by $name crypto', ({ driver }) => {
	it('have a certificate for their own keys', async () => {
		const identity = await runCrypto(driver, makeIdentity('node', NOW))
		expect(identityCertificate(identity)).toEqual({
			role: 'node',
			serial: NOW,
			notBeforeMs: NOW,
			notAfterMs: NOW + LIMITS.certificateMs,
			linkKey: identity.linkKey.publicKey,
			identityKey: identity.identityKey.publicKey,
		})
	})

	it('keep key and certificate until half of their life, then get both anew under the same identity', async () => {
		const identity = await runCrypto(driver, makeIdentity('device', NOW))
		const half = NOW + LIMITS.certificateMs / 2
		expect(await runCrypto(driver, renewIdentity(identity, half - 1))).toBe(identity)
		const renewed = await runCrypto(driver, renewIdentity(identity, half))
		expect(renewed.identityKey).toBe(identity.identityKey)
		expect(renewed.linkKey.publicKey).not.toEqual(identity.linkKey.publicKey)
		const body = identityCertificate(renewed)
		expect(body).toMatchObject({ serial: half, notBeforeMs: half, linkKey: renewed.linkKey.publicKey })
		expect(checkSerial(body.serial, NOW)).toBeUndefined()
	})

	it('have an id for life, another as node than as device', async () => {
		const identity = await runCrypto(driver, makeIdentity('device', NOW))
		const id = await runCrypto(driver, deviceIdOf(identity.identityKey))
		const renewed = await runCrypto(driver, renewIdentity(identity, NOW + LIMITS.certificateMs))
		expect(await runCrypto(driver, deviceIdOf(renewed.identityKey))).toBe(id)
		expect(await runCrypto(driver, nodeIdOf(identity.identityKey))).not.toBe(id)
	})
})

describe('an identity on disk', () => {
	const identity = runCryptoSync(nodeCrypto, makeIdentity('node', NOW))
	const bytes = exportIdentity(identity)

	it('comes back whole', () => {
		const back = importIdentity(bytes)
		expect(back).toMatchObject({ ok: true, value: { role: 'node', certificate: identity.certificate } })
		expect(back.ok && exportIdentity(back.value)).toEqual(bytes)
	})

	it('is refused when truncated, lengthened, or damaged anywhere that its keys can show', () => {
		for (let length = 0; length < bytes.length; length++) expect(importIdentity(bytes.subarray(0, length)).ok).toBe(false)
		expect(importIdentity(Uint8Array.of(...bytes, 0)).ok).toBe(false)
		expect(importIdentity(Uint8Array.of(...bytes, 0, 0, 0, 0)).ok).toBe(false)
		const seedStart = 4 + 'sallyport-identity-v1'.length + 4
		for (const position of [0, 5, seedStart, seedStart + 31, seedStart + 36 + 10]) {
			const changed = bytes.slice()
			changed[position] = (changed[position] ?? 0) ^ 16
			expect([position, importIdentity(changed)]).toMatchObject([position, { ok: false, error: { code: 'CERTIFICATE_INVALID' } }])
		}
	})

	it('never makes the import throw, whatever the file holds', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
				expect(importIdentity(noise).ok).toBe(false)
			}),
		)
	})

	it('holds no keys of another driver', async () => {
		const foreign = await runCrypto(webCrypto, makeIdentity('device', NOW))
		expect(() => exportIdentity(foreign)).toThrow('another crypto driver')
		expect(() => identityToStored(identity)).toThrow('another crypto driver')
	})

	it('keeps private keys out of json', () => {
		expect(JSON.stringify({ key: identity.identityKey })).toBe('{"key":"[redacted]"}')
	})

	it('throws for its own broken certificate', () => {
		expect(() => identityCertificate({ ...identity, certificate: new Uint8Array(3) })).toThrow('own certificate is broken')
	})
})

describe('an identity in a browser', () => {
	it('comes back from a structured clone, and no private key can be read out', async () => {
		const identity = await runCrypto(webCrypto, makeIdentity('device', NOW))
		const back = storedToIdentity(structuredClone(identityToStored(identity)))
		if (!back.ok) throw new Error(back.error.detail)
		const { identityKey, linkKey } = back.value
		expect(identityKey.publicKey).toEqual(identity.identityKey.publicKey)
		expect(linkKey.publicKey).toEqual(identity.linkKey.publicKey)
		for (const key of [identityKey, linkKey]) {
			const privateKey = key instanceof WebSigningKey || key instanceof WebAgreementKey ? key.privateKey : undefined
			expect(privateKey?.extractable).toBe(false)
		}
		const renewed = await runCrypto(webCrypto, renewIdentity(back.value, NOW + LIMITS.certificateMs))
		expect(renewed.identityKey).toBe(identityKey)
	})

	it.each([
		['nothing', () => undefined],
		['another type', () => 'text'],
		['null', () => null],
		['another version', (stored: object) => ({ ...stored, version: 2 })],
		['no identity key', (stored: object) => ({ ...stored, identityKey: {} })],
		['keys in each other’s place', (stored: object) => ({ ...stored, linkKey: Reflect.get(stored, 'identityKey') })],
		['no certificate', (stored: object) => ({ ...stored, certificate: 'x' })],
		['a broken certificate', (stored: object) => ({ ...stored, certificate: new Uint8Array(9) })],
	] as const)('is refused when the store gives back %s', async (_, change) => {
		const stored = identityToStored(await runCrypto(webCrypto, makeIdentity('device', NOW)))
		expect(storedToIdentity(change(stored))).toMatchObject({ ok: false, error: { code: 'CERTIFICATE_INVALID' } })
	})
})
