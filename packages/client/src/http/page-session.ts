import type { Clock } from '@sallyport/carrier'
import type { AccessTokenAnswer, UserInfo } from '@sallyport/protocol'
import { ClientError } from '../errors.ts'
import type { PageSession } from '../sally-client.ts'
import { accessTokenSchema, pageTicketSchema, setupAnswerSchema } from './answers.ts'
import type { Credential } from './credential.ts'
import type { Http } from './http.ts'

/** A token is replaced when less than this is left of it. */
const RENEW_MS = 60_000
const CSRF = { 'x-sallyport-csrf': '1' } as const

export interface PageCredential {
	readonly session: PageSession
	readonly credential: Credential
	signOut(): Promise<void>
}

/**
 * The page's standing at the relay: an HttpOnly cookie that this code never sees, traded for a short token which it
 * keeps in memory alone, and one-use tickets for sockets.
 */
export function createPageCredential(http: Http, clock: Clock): PageCredential {
	let held: AccessTokenAnswer | undefined
	let renewing: Promise<AccessTokenAnswer> | undefined

	/** Concurrent callers share one renewal, whose answer counts only as long as the cookie that it was asked with does. */
	const renew = (): Promise<AccessTokenAnswer> => {
		if (renewing !== undefined) return renewing
		const own = http
			.json({ method: 'POST', path: '/api/session/token', headers: CSRF, body: {} }, accessTokenSchema)
			.then((answer) => {
				if (renewing === own) held = answer
				return answer
			})
			.finally(() => {
				if (renewing === own) renewing = undefined
			})
		renewing = own
		return own
	}
	/** The relay set another cookie, or took it away: nothing asked for with the one before may be used. */
	const forgetTokens = (): void => {
		held = undefined
		renewing = undefined
	}
	const token = async (): Promise<string> => {
		const isFresh = held !== undefined && held.expires_at - clock.nowMs() > RENEW_MS
		return isFresh && held !== undefined ? held.access_token : (await renew()).access_token
	}
	const userOfNewCookie = async (): Promise<UserInfo> => {
		forgetTokens()
		return (await renew()).user
	}

	const session: PageSession = {
		async setUp(request) {
			await http.json({ method: 'POST', path: '/api/setup', headers: CSRF, body: request }, setupAnswerSchema)
			return userOfNewCookie()
		},
		async signIn(email, password) {
			try {
				await http.done({ method: 'POST', path: '/api/auth/sign-in/email', headers: CSRF, body: { email, password } })
			} catch (caught) {
				const error = ClientError.from(caught)
				if (error.code !== 'unauthenticated') throw error
				throw new ClientError('unauthenticated', 'e-mail or password is wrong', { cause: error })
			}
			return userOfNewCookie()
		},
		async changePassword(current, next) {
			const body = { currentPassword: current, newPassword: next, revokeOtherSessions: true }
			await http.done({ method: 'POST', path: '/api/auth/change-password', headers: CSRF, body })
			forgetTokens()
		},
		async resume() {
			try {
				return await renew()
			} catch (caught) {
				const error = ClientError.from(caught)
				if (error.code === 'unauthenticated') return undefined
				throw error
			}
		},
	}
	const credential: Credential = {
		token,
		async hello() {
			const ticket = async (): Promise<string> =>
				(await http.json({ method: 'POST', path: '/api/session/page-ticket', token: await token(), body: {} }, pageTicketSchema))
					.page_ticket
			try {
				return { page_ticket: await ticket() }
			} catch (caught) {
				const error = ClientError.from(caught)
				if (error.code !== 'unauthenticated' || held === undefined) throw error
				held = undefined
				return { page_ticket: await ticket() }
			}
		},
		renewAfterRefusal(refused) {
			// Another caller may have renewed already: then the new one is worth a try as well.
			if (held?.access_token === refused) held = undefined
			return true
		},
	}
	const signOut = async (): Promise<void> => {
		forgetTokens()
		await http.done({ method: 'POST', path: '/api/auth/sign-out', headers: CSRF, body: {} })
		forgetTokens()
	}
	return { session, credential, signOut }
}
