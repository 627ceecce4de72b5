/** What the HTTP interface is given: see `app.ts`. */
import type { RelayId } from '@sallyport/protocol'
import type { Context } from 'hono'
import type { EventFeed } from '../access/event-feed.ts'
import type { Limits } from '../access/limits.ts'
import type { EdgeView } from '../edge-view.ts'
import type { Accounts } from '../identity/accounts.ts'
import type { Authenticated, Authenticator } from '../identity/authenticate.ts'
import type { FirstRun } from '../identity/first-run.ts'
import type { Store } from '../store/store.ts'

export interface ApiLog {
	/** Constant message, data in fields; never secrets. */
	error(message: string, fields: Readonly<Record<string, unknown>>): void
}

export interface ApiDeps {
	readonly relayId: RelayId
	/** Of the relay's public address: scheme, host and port, without a path. */
	readonly origin: string
	/** Further origins whose pages may call with a bearer token. None may use the cookie. */
	readonly allowedOrigins: readonly string[]
	/** Further names of this relay itself, such as its loopback origins: a machine's proof and a page's call hold under them. */
	readonly dialOrigins: readonly string[]
	/** The address that people type: the origin, with the path prefix if there is one. */
	readonly publicUrl: string
	readonly version: string
	readonly store: Store
	readonly authenticator: Authenticator
	readonly accounts: Accounts
	readonly firstRun: FirstRun
	readonly limits: Limits
	readonly events: EventFeed
	readonly edgeView: EdgeView
	/** The client's address: from the socket, or from a listed proxy's header. Never from a client's own header. */
	readonly clientAddress: (context: Context) => string
	readonly nowMs: () => number
	readonly log: ApiLog
}

export interface ApiEnv {
	Variables: {
		/** Set by `bearer`: only routes behind it may read it. */
		principal: Authenticated
	}
}

export type ApiContext = Context<ApiEnv>
