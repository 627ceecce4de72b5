import { certificateInput, encodeCertificate, LIMITS, parseCertificate } from '@sallyport/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../../test/support/crypto.ts'
import { runCryptoSync } from '../../../carrier/src/crypto/crypto-driver.ts'
import { importNodeSigningKey } from '../../../carrier/src/node/crypto-node.ts'
import type { Crypto } from '../crypto/crypto-effects.ts'
import { sign } from '../crypto/crypto-effects.ts'
import { checkSerial, isRenewalDue, issueCertificate, verifyDeviceCertificate } from './certificates.ts'

const NOW = Date.UTC(2026, 10, 22)
const run = <T>(work: Crypto<T>): T => runCryptoSync(nodeCrypto, work)
const identityKey = importNodeSigningKey(new Uint8Array(32).fill(4))
const linkKey = new Uint8Array(32).fill(8)
const request = { role: 'device', identityKey, linkKey, nowMs: NOW } as const

function bodyOf(certificate: Uint8Array) {
	const parsed = parseCertificate(certificate)
	if (!parsed.ok) throw new Error(parsed.error.detail)
	return parsed.value.body
}

describe('certificates', () => {
	it('are verified by whoever has the link key', () => {
		const certificate = run(issueCertificate(request))
		expect(run(verifyDeviceCertificate(certificate, { linkKey, nowMs: NOW }))).toMatchObject({
			ok: true,
			value: { identityKey: identityKey.publicKey, serial: NOW, notAfterMs: NOW + LIMITS.certificateMs, certificate },
		})
	})

	it('have rising serials, also when the clock goes back', () => {
		expect(bodyOf(run(issueCertificate({ ...request, lastSerial: NOW - 5 }))).serial).toBe(NOW)
		expect(bodyOf(run(issueCertificate({ ...request, lastSerial: NOW + 5 }))).serial).toBe(NOW + 6)
		expect(bodyOf(run(issueCertificate({ ...request, lastSerial: NOW }))).serial).toBe(NOW + 1)
	})

	it('are due for renewal from half of their life on', () => {
		const body = bodyOf(run(issueCertificate(request)))
		expect(isRenewalDue(body, NOW + LIMITS.certificateMs / 2 - 1)).toBe(false)
		expect(isRenewalDue(body, NOW + LIMITS.certificateMs / 2)).toBe(true)
	})

	it('are refused when they claim a longer life than allowed', () => {
		const body = { ...bodyOf(run(issueCertificate(request))), notAfterMs: NOW + LIMITS.certificateMs + 1 }
		const certificate = encodeCertificate(body, run(sign(identityKey, certificateInput(body))))
		expect(run(verifyDeviceCertificate(certificate, { linkKey, nowMs: NOW }))).toMatchObject({
			error: { code: 'CERTIFICATE_REFUSED' },
		})
	})

	it('are refused with a flipped bit at any position', () => {
		const certificate = run(issueCertificate(request))
		for (let position = 0; position < certificate.length; position++) {
			const changed = certificate.slice()
			changed[position] = (changed[position] ?? 0) ^ (1 << (position % 8))
			expect(run(verifyDeviceCertificate(changed, { linkKey, nowMs: NOW })).ok).toBe(false)
		}
	})

	it('never throw for arbitrary bytes', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
				expect(run(verifyDeviceCertificate(bytes, { linkKey, nowMs: NOW })).ok).toBe(false)
			}),
		)
	})

	it('may repeat the last serial, not go below it', () => {
		expect(checkSerial(5, undefined)).toBeUndefined()
		expect(checkSerial(5, 5)).toBeUndefined()
		expect(checkSerial(4, 5)).toMatchObject({ code: 'CERTIFICATE_SERIAL_OLD' })
	})
})
