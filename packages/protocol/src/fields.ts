import * as v from 'valibot'
import { base64UrlToBytes } from './bytes.ts'

/** A whole number that every JSON implementation keeps exact. */
export const uintField = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
/** Milliseconds since 1970. */
export const timeField = uintField
export const portField = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535))
export const textField = (maxLength: number) => v.pipe(v.string(), v.maxLength(maxLength))
/** A name that people gave or a host reported: hostile text, to be escaped wherever it is shown. */
export const nameField = v.pipe(v.string(), v.minLength(1), v.maxLength(128))
export const colsField = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000))
export const rowsField = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000))

/** Bytes as base64url text of an exact length (`length`) or of at most `maxLength` bytes. */
export function bytesField(bound: { readonly length: number } | { readonly maxLength: number }) {
	const maxBytes = 'length' in bound ? bound.length : bound.maxLength
	return v.pipe(
		v.string(),
		v.maxLength(Math.ceil((maxBytes * 8) / 6)),
		v.rawTransform(({ dataset, addIssue, NEVER }) => {
			const bytes = base64UrlToBytes(dataset.value)
			if (!bytes.ok || ('length' in bound && bytes.value.length !== bound.length)) {
				addIssue({ message: 'is not base64url of the right length' })
				return NEVER
			}
			return bytes.value
		}),
	)
}
