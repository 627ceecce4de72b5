import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { bytesToBase64Url } from './bytes.ts'
import { bytesField, colsField, nameField, portField, rowsField, textField, uintField } from './fields.ts'

const accepts = (schema: v.GenericSchema, value: unknown) => v.safeParse(schema, value).success

describe('number fields', () => {
	it.each([
		['uint', uintField, [0, 1, Number.MAX_SAFE_INTEGER], [-1, 0.5, Number.MAX_SAFE_INTEGER + 1, Number.NaN, '1', null]],
		['port', portField, [1, 65_535], [0, 65_536, 22.5, '22', -22, Number.POSITIVE_INFINITY]],
		['cols', colsField, [1, 1000], [0, 1001, 80.5, '80']],
		['rows', rowsField, [1, 1000], [0, 1001, -1, Number.NaN]],
	])('%s keeps its bounds', (_name, schema, good, bad) => {
		for (const value of good) expect(accepts(schema, value)).toBe(true)
		for (const value of bad) expect(accepts(schema, value)).toBe(false)
	})
})

describe('text fields', () => {
	it('keeps the longest text and refuses one character more', () => {
		expect(accepts(textField(4), 'abcd')).toBe(true)
		expect(accepts(textField(4), 'abcde')).toBe(false)
		expect(accepts(textField(4), '')).toBe(true)
	})

	it('a name has 1 to 128 characters', () => {
		expect(accepts(nameField, 'x'.repeat(128))).toBe(true)
		expect(accepts(nameField, '')).toBe(false)
		expect(accepts(nameField, 'x'.repeat(129))).toBe(false)
	})
})

describe('bytesField', () => {
	it('gives back the bytes that were written, at any length up to the bound', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
				expect(v.parse(bytesField({ maxLength: 64 }), bytesToBase64Url(bytes))).toEqual(bytes)
				expect(v.parse(bytesField({ length: bytes.length }), bytesToBase64Url(bytes))).toEqual(bytes)
			}),
		)
	})

	it('refuses every other length', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
				fc.pre(bytes.length !== 32)
				expect(accepts(bytesField({ length: 32 }), bytesToBase64Url(bytes))).toBe(false)
			}),
		)
	})

	it('never gives more bytes than its bound', () => {
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 40 }), fc.uint8Array({ maxLength: 80 }), (maxLength, bytes) => {
				const parsed = v.safeParse(bytesField({ maxLength }), bytesToBase64Url(bytes))
				expect(parsed.success).toBe(bytes.length <= maxLength)
			}),
		)
	})

	it.each(['AAA=', 'AA==', 'A A', 'AA\n', 'A', 'AB', '+/+/', 'ÄÄÄÄ', 5, null, {}])(
		'refuses %j: one value has one spelling',
		(value) => {
			expect(accepts(bytesField({ maxLength: 64 }), value)).toBe(false)
		},
	)
})
