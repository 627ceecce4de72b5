import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { TokenKind } from '@sallyport/protocol'
import { formatToken, TOKEN_RANDOM_BYTES, tokenFromRandom } from '@sallyport/protocol'

/** A token just made. The text is for its holder alone and is kept nowhere. */
export interface FreshToken {
	readonly text: string
	/** Public part: safe in lists and logs. */
	readonly id: string
	readonly hash: string
}

export function newToken(kind: TokenKind): FreshToken {
	const parts = tokenFromRandom(kind, randomBytes(TOKEN_RANDOM_BYTES))
	const text = formatToken(parts)
	return { text, id: parts.id, hash: hashToken(text) }
}

/** SHA-256 of the whole text, base64url. Plain, because a token has 256 random bits: there is nothing to guess. */
export function hashToken(text: string): string {
	return createHash('sha256').update(text).digest('base64url')
}

/** Takes the same time wherever the two differ. */
export function equalSecrets(left: string, right: string): boolean {
	const [a, b] = [createHash('sha256').update(left).digest(), createHash('sha256').update(right).digest()]
	return timingSafeEqual(a, b)
}
