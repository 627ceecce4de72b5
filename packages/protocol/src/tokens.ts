/**
 * Tokens as text: `sly_<kind>_<id 12><secret 43><crc 6>`, base62. The checksum lets typos and secret scanners be
 * judged without a database; it protects nothing.
 */
import { utf8ToBytes } from './bytes.ts'
import type { Result } from './result.ts'
import { fault, ok } from './result.ts'

export const TOKEN_KINDS = ['pat', 'cli', 'web', 'enrol', 'page_ticket', 'link_ticket'] as const
export type TokenKind = (typeof TOKEN_KINDS)[number]

export interface TokenParts {
	readonly kind: TokenKind
	/** Public: safe in logs and lists. 12 base62 characters. */
	readonly id: string
	/** 43 base62 characters, 256 bits. */
	readonly secret: string
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const ID_LENGTH = 12
const SECRET_LENGTH = 43
const CRC_LENGTH = 6
const TOKEN_SHAPE = /^sly_(pat|cli|web|enrol|page_ticket|link_ticket)_([0-9A-Za-z]{12})([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/

/** How many random bytes `tokenFromRandom` needs: two for each character keep the bias below 1 in 10,000. */
export const TOKEN_RANDOM_BYTES: number = (ID_LENGTH + SECRET_LENGTH) * 2

/** Makes a token of `TOKEN_RANDOM_BYTES` random bytes. */
export function tokenFromRandom(kind: TokenKind, random: Uint8Array): TokenParts {
	if (random.length !== TOKEN_RANDOM_BYTES)
		throw new RangeError(`a token needs ${TOKEN_RANDOM_BYTES} random bytes, got ${random.length}`)
	let text = ''
	for (let index = 0; index < random.length; index += 2) {
		text += BASE62[(((random[index] ?? 0) << 8) | (random[index + 1] ?? 0)) % 62]
	}
	return { kind, id: text.slice(0, ID_LENGTH), secret: text.slice(ID_LENGTH) }
}

export function formatToken(parts: TokenParts): string {
	const body = `sly_${parts.kind}_${parts.id}${parts.secret}`
	return body + checksum(body)
}

/** Refuses whatever isn't a token of this shape with a right checksum; says nothing of whether it is valid. */
export function parseToken(text: string): Result<TokenParts> {
	const match = TOKEN_SHAPE.exec(text)
	if (match === null) return fault('TOKEN_INVALID', 'token has not the shape of one')
	const [, kind, id, secret, crc] = match
	const known = TOKEN_KINDS.find((candidate) => candidate === kind)
	if (known === undefined || id === undefined || secret === undefined)
		return fault('TOKEN_INVALID', 'token has not the shape of one')
	if (checksum(text.slice(0, -CRC_LENGTH)) !== crc)
		return fault('TOKEN_INVALID', 'token has a typing error: its checksum is wrong')
	return ok({ kind: known, id, secret })
}

function checksum(body: string): string {
	let crc = crc32(utf8ToBytes(body))
	let text = ''
	for (let index = 0; index < CRC_LENGTH; index++) {
		text = BASE62[crc % 62] + text
		crc = Math.floor(crc / 62)
	}
	return text
}

/** CRC-32 of ISO 3309 (the one of zip and PNG). */
export function crc32(bytes: Uint8Array): number {
	let crc = 0xffffffff
	for (const byte of bytes) {
		crc ^= byte
		for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1))
	}
	return (crc ^ 0xffffffff) >>> 0
}
