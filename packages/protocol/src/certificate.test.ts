import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import vectors from '../../../vectors/certificates.json' with { type: 'json' }
import { concatBytes, lengthPrefixed, uint64ToBytes, utf8ToBytes } from './bytes.ts'
import type { CertificateBody } from './certificate.ts'
import { certificateInput, encodeCertificate, parseCertificate } from './certificate.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const body: fc.Arbitrary<CertificateBody> = fc.record({
	role: fc.constantFrom('node', 'device'),
	serial: fc.maxSafeNat(),
	notBeforeMs: fc.maxSafeNat(),
	notAfterMs: fc.maxSafeNat(),
	linkKey: bytes(32),
	identityKey: bytes(32),
})
const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))

/** The nine fields of a good certificate, to be changed one at a time. */
function fields(): Uint8Array[] {
	return [
		utf8ToBytes('sallyport-certificate-v1'),
		utf8ToBytes('node'),
		Uint8Array.of(1),
		uint64ToBytes(5),
		uint64ToBytes(6),
		uint64ToBytes(7),
		new Uint8Array(32).fill(8),
		new Uint8Array(32).fill(9),
		new Uint8Array(64).fill(10),
	]
}
const changed = (index: number, field: Uint8Array): Uint8Array => lengthPrefixed(fields().with(index, field))

describe('certificates', () => {
	it('come back as they were written, with the exact bytes that were signed', () => {
		fc.assert(
			fc.property(body, bytes(64), (written, signature) => {
				expect(parseCertificate(encodeCertificate(written, signature))).toEqual({
					ok: true,
					value: { body: written, signed: certificateInput(written), signature },
				})
			}),
		)
	})

	it.each(vectors)('reads the published one of a $role', (vector) => {
		const parsed = parseCertificate(fromHex(vector.certificate))
		if (!parsed.ok) throw new Error(parsed.error.detail)
		expect(parsed.value.body).toEqual({
			role: vector.role,
			serial: vector.serial,
			notBeforeMs: vector.not_before_ms,
			notAfterMs: vector.not_after_ms,
			linkKey: fromHex(vector.link_key),
			identityKey: fromHex(vector.identity_key),
		})
	})

	it('keeps no view of the bytes it was given', () => {
		const input = lengthPrefixed(fields())
		const parsed = parseCertificate(input)
		input.fill(0)
		expect(parsed).toMatchObject({
			ok: true,
			value: { body: { linkKey: new Uint8Array(32).fill(8) }, signature: new Uint8Array(64).fill(10) },
		})
	})

	it.each([
		['another label', changed(0, utf8ToBytes('sallyport-certificate-v2'))],
		['an unknown role', changed(1, utf8ToBytes('relay'))],
		['a role that is not text', changed(1, Uint8Array.of(0xff))],
		['another version', changed(2, Uint8Array.of(2))],
		['a version of two bytes', changed(2, Uint8Array.of(1, 1))],
		['a short serial', changed(3, new Uint8Array(7))],
		['a serial above 2^53', changed(3, new Uint8Array(8).fill(255))],
		['a short start', changed(4, new Uint8Array(4))],
		['a start above 2^53', changed(4, Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0))],
		['a long end', changed(5, new Uint8Array(9))],
		['an end above 2^53', changed(5, new Uint8Array(8).fill(255))],
		['a short link key', changed(6, new Uint8Array(31))],
		['a long identity key', changed(7, new Uint8Array(33))],
		['a short signature', changed(8, new Uint8Array(63))],
		['a field too many', concatBytes([lengthPrefixed(fields()), lengthPrefixed([new Uint8Array(0)])])],
		['nothing', new Uint8Array(0)],
		['a length that goes beyond the end', Uint8Array.of(255, 255, 255, 255, 0)],
		['half a length', Uint8Array.of(0, 0)],
		['more than 512 bytes', lengthPrefixed([new Uint8Array(513)])],
	] as const)('are refused with %s', (_, input) => {
		expect(parseCertificate(input)).toMatchObject({ ok: false, error: { code: 'CERTIFICATE_INVALID' } })
	})

	it('are refused with any field missing, and cut at any byte', () => {
		for (let index = 0; index < 9; index++) expect(parseCertificate(lengthPrefixed(fields().toSpliced(index, 1))).ok).toBe(false)
		const whole = lengthPrefixed(fields())
		expect(parseCertificate(whole).ok).toBe(true)
		for (let length = 0; length < whole.length; length++) expect(parseCertificate(whole.subarray(0, length)).ok).toBe(false)
	})

	it('never throw for arbitrary bytes, and are never read in two ways', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 600 }), (input) => {
				expect(parseCertificate(input).ok).toBe(false)
			}),
		)
		fc.assert(
			fc.property(
				fc.nat({ max: 8 }),
				fc.oneof(fc.uint8Array({ maxLength: 64 }), bytes(8), bytes(32), bytes(64)),
				(index, field) => {
					const input = changed(index, field)
					const parsed = parseCertificate(input)
					expect(parsed.ok ? encodeCertificate(parsed.value.body, parsed.value.signature) : input).toEqual(input)
				},
			),
		)
	})
})
