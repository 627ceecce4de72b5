/** What people do with e-mail and password. Every try at a password is counted before it is checked. */
import { LIMITS } from '@sallyport/protocol'
import type { Limits } from '../access/limits.ts'
import type { Decision, Refusal } from '../control-plane.ts'
import { isReferenceGone } from '../store/errors.ts'
import type { Store } from '../store/store.ts'
import type { Auth, ClientFacts, SignInAnswer } from './auth.ts'
import type { Authenticated } from './authenticate.ts'
import { CLI_IDLE_MS, CREDENTIAL_REFUSED, toPrincipal, WEB_SCOPES } from './authenticate.ts'
import type { Passwords } from './passwords.ts'
import type { FreshToken } from './token-text.ts'
import { newToken } from './token-text.ts'

const CLI_ABSOLUTE_MS = 30 * 24 * 60 * 60 * 1000
const WEB_TOKEN_MS = 10 * 60 * 1000

export interface Minted {
	readonly text: string
	readonly expiresAtMs: number
}

export interface Accounts {
	signIn(email: string, password: string, client: ClientFacts): Promise<Decision<SignInAnswer>>
	/** Who holds the sign-in cookie, and the headers that slide it. */
	holderOfCookie(
		client: ClientFacts,
	): Promise<Decision<{ readonly principal: Authenticated; readonly setCookies: readonly string[] }>>
	/** Ends the sign-in behind the cookie, if any; gives the headers that clear it. */
	signOut(client: ClientFacts): Promise<readonly string[]>
	/** Ends everything the user holds, then signs this browser in anew. */
	changePassword(change: PasswordChange, client: ClientFacts): Promise<Decision<SignInAnswer>>
	cliLogin(
		login: { readonly email: string; readonly password: string; readonly deviceName: string },
		client: ClientFacts,
	): Promise<Decision<Minted & { readonly principal: Authenticated }>>
	/** A short token for the page; it stands on the sign-in and falls with it. */
	mintWebToken(principal: Authenticated, client: ClientFacts): Promise<Decision<Minted>>
	mintPageTicket(principal: Authenticated): Promise<Decision<Minted>>
}

export interface PasswordChange {
	readonly principal: Authenticated
	readonly currentPassword: string
	readonly newPassword: string
}

export interface AccountsDeps {
	readonly store: Store
	readonly auth: Auth
	readonly passwords: Passwords
	readonly limits: Limits
}

export function createAccounts({ store, auth, passwords, limits }: AccountsDeps): Accounts {
	/** Counts the try, and gives it back when `check` finds the password right. */
	const guarded = async <T>(email: string, client: ClientFacts, check: () => Promise<T | undefined>): Promise<Decision<T>> => {
		const admitted = await limits.passwordGuess(email, client.address)
		if (!admitted.ok) return admitted
		const result = await check()
		if (result === undefined) return WRONG_PASSWORD
		await admitted.value.giveBack()
		return { ok: true, value: result }
	}
	const check = async (email: string, password: string) => {
		const login = await store.users.findLogin(email)
		const isRight =
			login === undefined
				? await passwords.verifyNobody(password)
				: await passwords.verify({ hash: login.passwordHash, password })
		return login !== undefined && isRight ? login.user : undefined
	}

	return {
		signIn: (email, password, client) =>
			guarded(email, client, async () => {
				// Asked here, since better-auth knows nothing of accounts that are disabled.
				if ((await store.users.findLogin(email)) !== undefined) return await auth.signIn(email, password, client)
				await passwords.verifyNobody(password)
				return undefined
			}),
		async holderOfCookie(client) {
			const session = await auth.currentSignIn(client)
			const signIn = session === undefined ? undefined : await store.credentials.findSignIn(session.signInId)
			if (session === undefined || signIn === undefined) return NOT_SIGNED_IN
			return {
				ok: true,
				value: { principal: toPrincipal({ ...signIn, scopes: WEB_SCOPES }), setCookies: session.setCookies },
			}
		},
		async signOut(client) {
			const session = await auth.currentSignIn(client)
			const signIn = session === undefined ? undefined : await store.credentials.findSignIn(session.signInId)
			if (signIn !== undefined) await store.signIns.end(signIn.user.id, signIn.credentialId)
			return await auth.clearCookie(client)
		},
		async changePassword({ principal, currentPassword, newPassword }, client) {
			const { email, id } = principal.user
			const checked = await guarded(email, client, () => check(email, currentPassword))
			if (!checked.ok) return checked.api === 'unauthenticated' ? WRONG_CURRENT_PASSWORD : checked
			await store.users.changePassword(id, await passwords.hash(newPassword))
			const signedIn = await auth.signIn(email, newPassword, client)
			return signedIn === undefined ? NOT_SIGNED_IN : { ok: true, value: signedIn }
		},
		async cliLogin({ email, password, deviceName }, client) {
			const checked = await guarded(email, client, () => check(email, password))
			if (!checked.ok) return checked
			const token = newToken('cli')
			const user = checked.value
			const expiresAtMs = await store.accessSessions.add({
				tokenId: token.id,
				tokenHash: token.hash,
				kind: 'cli',
				userId: user.id,
				epoch: user.epoch,
				deviceName,
				address: client.address,
				scopes: WEB_SCOPES,
				idleMs: CLI_IDLE_MS,
				absoluteMs: CLI_ABSOLUTE_MS,
			})
			const times = { expiresAtMs, lastActiveAtMs: 0, nowMs: 0 }
			const principal = toPrincipal({ kind: 'cli', credentialId: token.id, user, scopes: WEB_SCOPES, ...times })
			return { ok: true, value: { text: token.text, expiresAtMs, principal } }
		},
		mintWebToken(principal, client) {
			const token = newToken('web')
			const row = {
				tokenId: token.id,
				tokenHash: token.hash,
				kind: 'web' as const,
				userId: principal.user.id,
				epoch: principal.epoch,
				signInId: principal.credentialId,
				deviceName: '',
				address: client.address,
				scopes: WEB_SCOPES,
				idleMs: WEB_TOKEN_MS,
				absoluteMs: WEB_TOKEN_MS,
			}
			return minted(token, () => store.accessSessions.add(row))
		},
		mintPageTicket(principal) {
			const ticket = newToken('page_ticket')
			const row = {
				ticketId: ticket.id,
				ticketHash: ticket.hash,
				signInId: principal.credentialId,
				userId: principal.user.id,
				epoch: principal.epoch,
				ttlMs: LIMITS.pageTicketMs,
			}
			return minted(ticket, () => store.pageTickets.add(row))
		},
	}
}

/** Adds a row that stands on a sign-in, which may be ended at this very moment. */
async function minted(token: FreshToken, add: () => Promise<number>): Promise<Decision<Minted>> {
	try {
		return { ok: true, value: { text: token.text, expiresAtMs: await add() } }
	} catch (failure) {
		if (isReferenceGone(failure)) return NOT_SIGNED_IN
		throw failure
	}
}

const WRONG_PASSWORD: Refusal = {
	...CREDENTIAL_REFUSED,
	reason: 'e-mail or password is wrong',
}

const WRONG_CURRENT_PASSWORD: Refusal = {
	ok: false,
	close: 'forbidden',
	api: 'forbidden',
	reason: 'the current password is wrong; nothing was changed',
}

const NOT_SIGNED_IN: Refusal = {
	...CREDENTIAL_REFUSED,
	reason: 'you are not signed in, or your sign-in has ended: sign in again',
}
