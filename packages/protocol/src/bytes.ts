import type { Result } from './result.ts'
import { fault, ok } from './result.ts'

/** The part of the WHATWG Encoding API that this package uses; it is global in Node and in browsers. */
interface Encoding {
	readonly TextEncoder: new () => { encode(text: string): Uint8Array; encodeInto(text: string, into: Uint8Array): unknown }
	readonly TextDecoder: new (
		label: string,
		options: { fatal: boolean; ignoreBOM: boolean },
	) => { decode(bytes: Uint8Array): string }
}
// Safe: both names are global in every supported runtime; L0 packages compile without DOM and Node types.
const { TextEncoder, TextDecoder } = globalThis as unknown as Encoding
const encoder = new TextEncoder()
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const EMPTY_BYTES: Uint8Array = new Uint8Array(0)

export function utf8ToBytes(text: string): Uint8Array {
	return encoder.encode(text)
}

/** Decodes strictly: malformed UTF-8 is refused rather than replaced. */
export function bytesToUtf8(bytes: Uint8Array): Result<string> {
	try {
		return ok(strictDecoder.decode(bytes))
	} catch {
		// The decoder's only failure is malformed input.
		return fault('MESSAGE_INVALID', 'bytes are not valid utf-8')
	}
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
	let total = 0
	for (const part of parts) total += part.length
	const joined = new Uint8Array(total)
	let offset = 0
	for (const part of parts) {
		joined.set(part, offset)
		offset += part.length
	}
	return joined
}

/** Compares without leaving early, so that the time taken says nothing about where two secrets differ. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
	if (left.length !== right.length) return false
	let difference = 0
	for (let index = 0; index < left.length; index++) difference |= (left[index] ?? 0) ^ (right[index] ?? 0)
	return difference === 0
}

export function uint32ToBytes(value: number): Uint8Array {
	return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
}

export function uint64ToBytes(value: number): Uint8Array {
	return concatBytes([uint32ToBytes(Math.floor(value / 2 ** 32)), uint32ToBytes(value % 2 ** 32)])
}

/** Reads a big-endian u32; the caller has checked that four bytes are there. */
export function readUint32(bytes: Uint8Array, offset: number): number {
	return (
		(bytes[offset] ?? 0) * 2 ** 24 +
		(((bytes[offset + 1] ?? 0) << 16) | ((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0))
	)
}

/** Joins fields so that no two different lists give the same bytes: each is preceded by its length as u32 BE. */
export function lengthPrefixed(fields: readonly Uint8Array[]): Uint8Array {
	return concatBytes(fields.flatMap((field) => [uint32ToBytes(field.length), field]))
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** RFC 4648 section 5, without padding. */
export function bytesToBase64Url(bytes: Uint8Array): string {
	return encodeBits(bytes, 6, BASE64URL)
}

/** Refuses padding, white space, other alphabets and non-zero trailing bits, so that one value has one spelling. */
export function base64UrlToBytes(text: string): Result<Uint8Array> {
	return decodeBits(text, 6, BASE64URL)
}

/** RFC 4648 section 6, lower case, without padding. */
export function bytesToBase32(bytes: Uint8Array): string {
	return encodeBits(bytes, 5, BASE32)
}

export function base32ToBytes(text: string): Result<Uint8Array> {
	return decodeBits(text, 5, BASE32)
}

function encodeBits(bytes: Uint8Array, bitsPerChar: number, alphabet: string): string {
	const mask = (1 << bitsPerChar) - 1
	let text = ''
	let buffer = 0
	let bits = 0
	for (const byte of bytes) {
		buffer = ((buffer << 8) | byte) & 0xffff
		bits += 8
		while (bits >= bitsPerChar) {
			bits -= bitsPerChar
			text += alphabet[(buffer >>> bits) & mask]
		}
	}
	if (bits > 0) text += alphabet[(buffer << (bitsPerChar - bits)) & mask]
	return text
}

function decodeBits(text: string, bitsPerChar: number, alphabet: string): Result<Uint8Array> {
	const bytes = new Uint8Array(Math.floor((text.length * bitsPerChar) / 8))
	let buffer = 0
	let bits = 0
	let length = 0
	for (const char of text) {
		const value = alphabet.indexOf(char)
		if (value < 0) return fault('MESSAGE_INVALID', 'text has a character outside its alphabet')
		buffer = ((buffer << bitsPerChar) | value) & 0xffff
		bits += bitsPerChar
		if (bits >= 8) {
			bits -= 8
			bytes[length++] = (buffer >>> bits) & 0xff
		}
	}
	const rest = buffer & ((1 << bits) - 1)
	if (bits >= bitsPerChar || rest !== 0) return fault('MESSAGE_INVALID', 'text has bits left over')
	return ok(bytes)
}
