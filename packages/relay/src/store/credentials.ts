/**
 * The check of a bearer token: one indexed query each, which also holds every rule of expiry. Imports no auth framework,
 * so that it can be understood, and served, without one.
 */
import { sql } from 'kysely'
import { compileOnce } from './compiled.ts'
import type { Db, StoreDialect } from './dialect.ts'
import type { CredentialRecord } from './records.ts'
import { parseScopes, rowToUser } from './records.ts'

/** A sign-in lasts this long however often it is used; idle it ends at `auth_sessions.expires_at`. */
export const SIGN_IN_ABSOLUTE_MS: number = 30 * 24 * 60 * 60 * 1000

export interface Credentials {
	/** By the public id of a `web` or `cli` token. Unknown, revoked and expired are all `undefined`. */
	findAccessSession(tokenId: string): Promise<CredentialRecord | undefined>
	findPat(tokenId: string): Promise<CredentialRecord | undefined>
	/** By the id of a sign-in: who holds its cookie or a page ticket made from it. */
	findSignIn(signInId: string): Promise<Omit<CredentialRecord, 'tokenHash' | 'scopes'> | undefined>
	/** Whether the credential behind a socket still stands. */
	isLive(kind: CredentialRecord['kind'], credentialId: string): Promise<boolean>
}

export function createCredentials(db: Db, dialect: StoreDialect): Credentials {
	const userColumns = ['users.id', 'users.email', 'users.username', 'users.roles', 'users.session_epoch'] as const
	const signInEnd = sql<number>`${dialect.authMs('auth_sessions.created_at')} + ${sql.lit(SIGN_IN_ABSOLUTE_MS)}`
	const signInIsLive = sql<boolean>`(${dialect.authMs('auth_sessions.expires_at')} > ${dialect.now} and ${signInEnd} > ${dialect.now})`

	const signInQuery = (signInId: string) =>
		db
			.selectFrom('auth_sessions')
			.innerJoin('users', 'users.id', 'auth_sessions.user_id')
			.where('auth_sessions.id', '=', signInId)
			.where('users.disabled_at', 'is', null)
			.where(signInIsLive)

	const accessSessionQuery = (tokenId: string) =>
		db
			.selectFrom('access_sessions')
			.innerJoin('users', 'users.id', 'access_sessions.user_id')
			.leftJoin('auth_sessions', 'auth_sessions.id', 'access_sessions.sign_in_id')
			.where('access_sessions.id', '=', tokenId)
			.where('access_sessions.revoked_at', 'is', null)
			.where('users.disabled_at', 'is', null)
			.whereRef('access_sessions.session_epoch', '=', 'users.session_epoch')
			.where('access_sessions.expires_at', '>', dialect.now)
			.where('access_sessions.idle_expires_at', '>', dialect.now)
			.where((eb) => eb.or([eb('access_sessions.kind', '=', 'cli'), signInIsLive]))

	const patQuery = (tokenId: string) =>
		db
			.selectFrom('pat_tokens')
			.innerJoin('users', 'users.id', 'pat_tokens.user_id')
			.where('pat_tokens.token_id', '=', tokenId)
			.where('pat_tokens.kind', '=', 'pat')
			.where('pat_tokens.revoked_at', 'is', null)
			.where('users.disabled_at', 'is', null)
			.whereRef('pat_tokens.session_epoch', '=', 'users.session_epoch')
			.where('pat_tokens.expires_at', '>', dialect.now)

	const accessSession = compileOnce(db, (tokenId) =>
		accessSessionQuery(tokenId)
			.select(userColumns)
			.select(['access_sessions.kind', 'access_sessions.token_hash', 'access_sessions.sign_in_id', 'access_sessions.scopes'])
			.select(['access_sessions.expires_at', 'access_sessions.last_active_at'])
			.select([dialect.now.as('now'), signInEnd.as('sign_in_end')]),
	)
	const pat = compileOnce(db, (tokenId) =>
		patQuery(tokenId)
			.select(userColumns)
			.select(['pat_tokens.token_hash', 'pat_tokens.scopes', 'pat_tokens.expires_at', 'pat_tokens.last_used_at'])
			.select(dialect.now.as('now')),
	)
	const signIn = compileOnce(db, (signInId) =>
		signInQuery(signInId)
			.select(userColumns)
			.select([dialect.now.as('now'), signInEnd.as('sign_in_end'), dialect.authMs('auth_sessions.updated_at').as('active')]),
	)
	const live = {
		web: compileOnce(db, (signInId) => signInQuery(signInId).select('users.id')),
		cli: compileOnce(db, (tokenId) => accessSessionQuery(tokenId).select('users.id')),
		pat: compileOnce(db, (tokenId) => patQuery(tokenId).select('users.id')),
	}

	return {
		async findAccessSession(tokenId) {
			const row = await accessSession(tokenId)
			if (row === undefined) return undefined
			return {
				kind: row.kind,
				credentialId: row.kind === 'web' && row.sign_in_id !== null ? row.sign_in_id : tokenId,
				tokenHash: row.token_hash,
				user: rowToUser(row),
				scopes: parseScopes(row.scopes),
				expiresAtMs: row.kind === 'web' ? row.sign_in_end : row.expires_at,
				lastActiveAtMs: row.last_active_at,
				nowMs: row.now,
			}
		},
		async findPat(tokenId) {
			const row = await pat(tokenId)
			if (row === undefined) return undefined
			return {
				kind: 'pat',
				credentialId: tokenId,
				tokenHash: row.token_hash,
				user: rowToUser(row),
				scopes: parseScopes(row.scopes),
				expiresAtMs: row.expires_at,
				lastActiveAtMs: row.last_used_at ?? 0,
				nowMs: row.now,
			}
		},
		async findSignIn(signInId) {
			const row = await signIn(signInId)
			if (row === undefined) return undefined
			return {
				kind: 'web',
				credentialId: signInId,
				user: rowToUser(row),
				expiresAtMs: row.sign_in_end,
				lastActiveAtMs: row.active,
				nowMs: row.now,
			}
		},
		isLive: async (kind, credentialId) => (await live[kind](credentialId)) !== undefined,
	}
}
