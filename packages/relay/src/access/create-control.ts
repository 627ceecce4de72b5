/** Wires identity and access over one store: what the composition root calls. */
import { hashPassword, verifyPassword } from 'better-auth/crypto'
import type { Context, Hono } from 'hono'
import type { ControlPlane } from '../control-plane.ts'
import type { EdgeView } from '../edge-view.ts'
import { createApiApp } from '../http/app.ts'
import type { ApiEnv, ApiLog } from '../http/ports.ts'
import { createAccounts } from '../identity/accounts.ts'
import { createAuth } from '../identity/auth.ts'
import { createAuthenticator } from '../identity/authenticate.ts'
import type { SetupSecrets } from '../identity/first-run.ts'
import { createFirstRun } from '../identity/first-run.ts'
import type { PasswordAlgorithm } from '../identity/passwords.ts'
import { createPasswords } from '../identity/passwords.ts'
import type { Store } from '../store/store.ts'
import { createControlPlane } from './control-plane-local.ts'
import { createEventFeed } from './event-feed.ts'
import type { LimitSettings } from './limits.ts'
import { createLimits } from './limits.ts'

const CLEAN_UP_MS = 5 * 60 * 1000

export interface ControlDeps {
	/** Open; stays the caller's to close, after `close` here. */
	readonly store: Store
	/** Of `loadAuthSecret`. */
	readonly authSecret: string
	/** Scheme, host and port of the public address, no path. Decides the cookie's name and flags. */
	readonly origin: string
	readonly allowedOrigins: readonly string[]
	/** See `ApiDeps.dialOrigins`. */
	readonly dialOrigins: readonly string[]
	/** See `ApiDeps.publicUrl`. */
	readonly publicUrl: string
	readonly version: string
	readonly limits?: LimitSettings
	/** @default better-auth's scrypt */
	readonly passwordAlgorithm?: PasswordAlgorithm
	readonly log: ApiLog
	readonly nowMs?: () => number
}

export interface ApiParts {
	readonly edgeView: EdgeView
	readonly clientAddress: (context: Context) => string
}

export interface Control {
	readonly controlPlane: ControlPlane
	/** Call once at start: the secrets of the first run, or undefined when there is an owner. */
	createSetup(): Promise<SetupSecrets | undefined>
	/** The HTTP interface, once the edge is there to be looked at. */
	createApi(parts: ApiParts): Hono<ApiEnv>
	close(): void
}

export async function createControl(deps: ControlDeps): Promise<Control> {
	const { store, log, origin } = deps
	const relayId = await store.relayId()
	const events = await createEventFeed({ store, onFailure: (failure) => log.error('revocations could not be read', { failure }) })
	const limits = createLimits(deps.limits)
	const passwords = createPasswords(deps.passwordAlgorithm ?? { hash: hashPassword, verify: verifyPassword })
	const auth = createAuth({ store, passwords, secret: deps.authSecret, origin })
	const authenticator = createAuthenticator(store)
	const accounts = createAccounts({ store, auth, passwords, limits })
	const firstRun = createFirstRun({ store, passwords })
	const cleaning = setInterval(() => {
		store.cleanUp().catch((failure: unknown) => log.error('clean-up of the database failed', { failure }))
	}, CLEAN_UP_MS)
	cleaning.unref()
	return {
		controlPlane: createControlPlane({ relayId, store, authenticator, limits, events }),
		createSetup: () => firstRun.createSetup(),
		createApi: ({ edgeView, clientAddress }) =>
			createApiApp({
				relayId,
				origin,
				allowedOrigins: deps.allowedOrigins,
				dialOrigins: deps.dialOrigins,
				publicUrl: deps.publicUrl,
				version: deps.version,
				store,
				authenticator,
				accounts,
				firstRun,
				limits,
				events,
				edgeView,
				clientAddress,
				nowMs: deps.nowMs ?? Date.now,
				log,
			}),
		close() {
			clearInterval(cleaning)
			events.close()
		},
	}
}
