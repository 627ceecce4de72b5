/**
 * better-auth, kept to what it is good at here: checking a password, and making, sliding and clearing the sign-in
 * cookie. It is called as a library and never mounted, so none of its own routes exist.
 */
import { betterAuth } from 'better-auth'
import type { Store } from '../store/store.ts'
import type { Passwords } from './passwords.ts'
import { PASSWORD_MAX, PASSWORD_MIN } from './passwords.ts'

const DAY_S = 24 * 60 * 60
/** Written by us from the socket's address; a client's own headers never reach better-auth. */
const ADDRESS_HEADER = 'x-sallyport-client-address'

/** What of a request matters to sign-in. */
export interface ClientFacts {
	readonly address: string
	readonly userAgent: string
	readonly cookie?: string
}

/** The signed-in user in better-auth's shape, and the headers that set, slide or clear the cookie. */
export interface SignInAnswer {
	readonly user: unknown
	readonly setCookies: readonly string[]
}

export interface Auth {
	/** Undefined when e-mail and password don't match. */
	signIn(email: string, password: string, client: ClientFacts): Promise<SignInAnswer | undefined>
	/** The id of the sign-in behind a cookie; slides its idle end. Undefined without a good cookie. */
	currentSignIn(client: ClientFacts): Promise<{ readonly signInId: string; readonly setCookies: readonly string[] } | undefined>
	/** The headers that clear the cookie. */
	clearCookie(client: ClientFacts): Promise<readonly string[]>
}

export interface AuthDeps {
	readonly store: Store
	readonly passwords: Passwords
	/** Signs cookies; see `auth-secret.ts`. */
	readonly secret: string
	readonly origin: string
}

export function createAuth(deps: AuthDeps): Auth {
	const auth = betterAuth(options(deps))
	return {
		async signIn(email, password, client) {
			const response = await auth.api.signInEmail({ body: { email, password }, headers: headersOf(client), asResponse: true })
			if (!response.ok) {
				if (response.status >= 500) throw new Error(`sign-in failed with status ${response.status}`)
				return undefined
			}
			const body: unknown = await response.json()
			const user = typeof body === 'object' && body !== null && 'user' in body ? body.user : undefined
			return { user, setCookies: response.headers.getSetCookie() }
		},
		async currentSignIn(client) {
			if (client.cookie === undefined) return undefined
			const { response, headers } = await auth.api.getSession({ headers: headersOf(client), returnHeaders: true })
			return response === null ? undefined : { signInId: response.session.id, setCookies: headers.getSetCookie() }
		},
		async clearCookie(client) {
			const response = await auth.api.signOut({ headers: headersOf(client), asResponse: true })
			return response.headers.getSetCookie()
		},
	}
}

const TIMESTAMPS = { createdAt: 'created_at', updatedAt: 'updated_at' }

/** Where better-auth keeps its rows: its user is our `users`. */
const TABLES = {
	user: {
		modelName: 'users',
		fields: { name: 'username', emailVerified: 'email_verified', image: 'avatar_url', ...TIMESTAMPS },
	},
	session: {
		modelName: 'auth_sessions',
		fields: { userId: 'user_id', expiresAt: 'expires_at', ipAddress: 'ip_address', userAgent: 'user_agent', ...TIMESTAMPS },
		expiresIn: 7 * DAY_S,
		updateAge: DAY_S / 24,
		cookieCache: { enabled: false },
	},
	account: {
		modelName: 'auth_accounts',
		encryptOAuthTokens: true,
		fields: {
			userId: 'user_id',
			accountId: 'account_id',
			providerId: 'provider_id',
			accessToken: 'access_token',
			refreshToken: 'refresh_token',
			idToken: 'id_token',
			accessTokenExpiresAt: 'access_token_expires_at',
			refreshTokenExpiresAt: 'refresh_token_expires_at',
			...TIMESTAMPS,
		},
	},
	verification: {
		modelName: 'auth_verifications',
		storeIdentifier: 'hashed',
		fields: { expiresAt: 'expires_at', ...TIMESTAMPS },
	},
} as const

function options({ store, passwords, secret, origin }: AuthDeps) {
	return {
		...TABLES,
		appName: 'Sallyport',
		baseURL: origin,
		secret,
		database: { db: store.db, type: store.engine, transaction: false },
		emailAndPassword: {
			enabled: true,
			disableSignUp: true,
			minPasswordLength: PASSWORD_MIN,
			maxPasswordLength: PASSWORD_MAX,
			password: { hash: passwords.hash, verify: passwords.verify },
		},
		// Ours counts by account and by address, in front of this.
		rateLimit: { enabled: false },
		telemetry: { enabled: false },
		logger: { disabled: true },
		advanced: {
			// Off, since its own prefix `__Secure-` would stand before ours.
			useSecureCookies: false,
			cookiePrefix: cookiePrefix(origin),
			defaultCookieAttributes: { httpOnly: true, sameSite: 'lax' as const, path: '/', secure: origin.startsWith('https://') },
			ipAddress: { ipAddressHeaders: [ADDRESS_HEADER] },
		},
	}
}

/** Cookies know no ports: on plain HTTP the name holds it, so that two relays on one machine don't sign each other out. */
function cookiePrefix(origin: string): string {
	return origin.startsWith('https://') ? '__Host-sallyport' : `sallyport-${new URL(origin).port || '80'}`
}

function headersOf(client: ClientFacts): Headers {
	const headers = new Headers({ [ADDRESS_HEADER]: client.address, 'user-agent': client.userAgent })
	if (client.cookie !== undefined) headers.set('cookie', client.cookie)
	return headers
}
