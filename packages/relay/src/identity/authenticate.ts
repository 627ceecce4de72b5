/**
 * Who a token speaks for: one indexed query. Imports no auth framework, so that the check stands when sign-in is broken,
 * and can be read in one sitting.
 */
import type { TokenKind } from '@sallyport/protocol'
import { parseToken } from '@sallyport/protocol'
import type { Decision, Principal, Refusal } from '../control-plane.ts'
import type { CredentialRecord } from '../store/records.ts'
import type { Store } from '../store/store.ts'
import { equalSecrets, hashToken } from './token-text.ts'

/** A principal with what minting from it needs: a credential minted under an epoch that has passed is dead. */
export interface Authenticated extends Principal {
	readonly epoch: number
}

export const CLI_IDLE_MS: number = 7 * 24 * 60 * 60 * 1000
export const WEB_SCOPES = ['nodes:read', 'nodes:open'] as const
/** How exactly "last active" is known; each step is one write. */
const TOUCH_MS = 5 * 60 * 1000
const BEARER_KINDS: ReadonlySet<TokenKind> = new Set(['pat', 'cli', 'web'])

export interface Authenticator {
	/** A bearer token of a kind that may speak on HTTP or in a hello. */
	authenticate(token: string): Promise<Decision<Authenticated>>
	/** One use, in whichever process it is shown. */
	redeemPageTicket(ticket: string): Promise<Decision<Authenticated>>
}

export function createAuthenticator(store: Store): Authenticator {
	return {
		async authenticate(token) {
			const parsed = parseToken(token)
			// A wrong checksum, and a kind that has no business here, cost no query.
			if (!parsed.ok || !BEARER_KINDS.has(parsed.value.kind)) return CREDENTIAL_REFUSED
			const { kind, id } = parsed.value
			return await orUnavailable(async () => {
				const found = await (kind === 'pat' ? store.credentials.findPat(id) : store.credentials.findAccessSession(id))
				if (found === undefined || found.kind !== kind || !equalSecrets(found.tokenHash, hashToken(token)))
					return CREDENTIAL_REFUSED
				await touch(store, id, found)
				return { ok: true, value: toPrincipal(found) }
			})
		},
		async redeemPageTicket(ticket) {
			const parsed = parseToken(ticket)
			if (!parsed.ok || parsed.value.kind !== 'page_ticket') return CREDENTIAL_REFUSED
			const { id } = parsed.value
			return await orUnavailable(async () => {
				const redeemed = await store.pageTickets.redeem(id, hashToken(ticket))
				if (redeemed === undefined) return CREDENTIAL_REFUSED
				const signIn = await store.credentials.findSignIn(redeemed.signInId)
				if (signIn === undefined || signIn.user.epoch !== redeemed.epoch) return CREDENTIAL_REFUSED
				return { ok: true, value: toPrincipal({ ...signIn, scopes: WEB_SCOPES }) }
			})
		},
	}
}

/** Unknown, expired, revoked, damaged: one answer, which tells a guesser nothing. */
export const CREDENTIAL_REFUSED: Refusal = {
	ok: false,
	close: 'credential_expired',
	api: 'unauthenticated',
	reason: 'this token is not valid: it is mistyped, has expired or was revoked. Sign in again, or make a new token',
}

export const DATABASE_AWAY: Refusal = {
	ok: false,
	close: 'relay_restarting',
	api: 'unavailable',
	reason:
		"the relay can't reach its database just now, so nobody is let in. Try again in a moment; the relay's log has the cause",
	retryAfterMs: 2000,
}

/** The rule for a database that fails, however it fails: no answer is a refusal, never an entry. */
export async function orUnavailable<T>(decide: () => Promise<Decision<T>>): Promise<Decision<T>> {
	try {
		return await decide()
	} catch {
		// The cause is in the store's own failure, which /readyz and the log show; a stranger learns only this.
		return DATABASE_AWAY
	}
}

export function toPrincipal(record: Omit<CredentialRecord, 'tokenHash'>): Authenticated {
	const { id, email, username, roles, epoch } = record.user
	return {
		kind: record.kind,
		user: { id, email, username, roles },
		scopes: record.scopes,
		credentialId: record.credentialId,
		expiresAtMs: record.expiresAtMs,
		epoch,
	}
}

async function touch(store: Store, tokenId: string, record: CredentialRecord): Promise<void> {
	if (record.nowMs - record.lastActiveAtMs < TOUCH_MS) return
	if (record.kind === 'pat') await store.tokens.touchPat(tokenId)
	if (record.kind === 'cli') await store.accessSessions.touch(tokenId, CLI_IDLE_MS)
}
