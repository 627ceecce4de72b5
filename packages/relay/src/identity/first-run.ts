/**
 * Set-up: until there is an owner, each start of the relay makes one secret (for the person, in a link's fragment) and
 * one enrol token (for the relay's own machine). Both are worthless once the process ends or the owner exists.
 */
import { randomBytes } from 'node:crypto'
import type { SetupRequest } from '@sallyport/protocol'
import type { Store } from '../store/store.ts'
import type { OwnerCreation } from '../store/users.ts'
import type { Passwords } from './passwords.ts'
import { equalSecrets, newToken } from './token-text.ts'

/** The secret's life is that of the process; this only keeps the row from staying for ever. */
const SETUP_TOKEN_MS = 365 * 24 * 60 * 60 * 1000

export interface SetupSecrets {
	/** For the fragment of the set-up link. */
	readonly setupSecret: string
	/** Kind `enrol`, without a user: for the agent on the relay's own machine. */
	readonly enrolToken: string
	/** Public id of the enrol token. */
	readonly enrolTokenId: string
}

export type SetupResult = OwnerCreation | { readonly kind: 'invalid' }

export interface FirstRun {
	/** Call once at start. Undefined when there is an owner already. */
	createSetup(): Promise<SetupSecrets | undefined>
	isNeeded(): Promise<boolean>
	/** Of any number of calls at once with the right secret, one creates the owner. The caller has checked the fields. */
	complete(request: SetupRequest): Promise<SetupResult>
}

export function createFirstRun({ store, passwords }: { readonly store: Store; readonly passwords: Passwords }): FirstRun {
	let current: SetupSecrets | undefined
	return {
		async createSetup() {
			if (await store.users.ownerExists()) return undefined
			const token = newToken('enrol')
			await store.tokens.replaceSetup({ tokenId: token.id, tokenHash: token.hash, name: 'first run', ttlMs: SETUP_TOKEN_MS })
			const secrets = { setupSecret: randomBytes(32).toString('base64url'), enrolToken: token.text, enrolTokenId: token.id }
			current = secrets
			return secrets
		},
		isNeeded: async () => !(await store.users.ownerExists()),
		async complete(request) {
			if (await store.users.ownerExists()) return { kind: 'exists' }
			// Its own name: another call may finish, and forget `current`, while this one hashes.
			const secrets = current
			if (secrets === undefined || !equalSecrets(secrets.setupSecret, request.setup_secret)) return { kind: 'invalid' }
			const user = {
				email: request.email,
				username: request.username,
				passwordHash: await passwords.hash(request.password),
				roles: ['user', 'admin', 'owner'] as const,
			}
			const result = await store.users.createOwner(user, secrets.enrolTokenId)
			if (result.kind === 'created') current = undefined
			return result
		},
	}
}
