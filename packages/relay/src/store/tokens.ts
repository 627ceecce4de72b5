/** Personal access tokens, enrol tokens and the set-up token of a first run. Only hashes are kept. */
import type { Scope, TokenInfo, UserId } from '@sallyport/protocol'
import { sql } from 'kysely'
import type { Db, StoreDialect } from './dialect.ts'
import { addEvent } from './events.ts'
import { parseScopes } from './records.ts'

export interface NewToken {
	readonly tokenId: string
	readonly tokenHash: string
	readonly name: string
	readonly ttlMs: number
}

export interface Tokens {
	addPat(
		token: NewToken & { readonly userId: UserId; readonly epoch: number; readonly scopes: readonly Scope[] },
	): Promise<TokenInfo>
	/** Gives its end by the database's clock. */
	addEnrol(token: NewToken & { readonly userId: UserId; readonly epoch: number }): Promise<number>
	/** The token of this start's first run; those of earlier starts die. */
	replaceSetup(token: NewToken): Promise<void>
	touchPat(tokenId: string): Promise<void>
	listPats(userId: UserId): Promise<readonly TokenInfo[]>
	/** False when the user has no such live token of that kind. */
	revoke(userId: UserId, kind: 'pat' | 'enrol', tokenId: string): Promise<boolean>
}

export function createTokens(db: Db, dialect: StoreDialect): Tokens {
	const newRow = (token: NewToken) => ({
		id: token.tokenId,
		token_id: token.tokenId,
		token_hash: token.tokenHash,
		name: token.name,
		created_at: dialect.now,
		expires_at: sql<number>`${dialect.now} + ${sql.lit(token.ttlMs)}`,
		last_used_at: null,
		revoked_at: null,
		used_by_node: null,
	})
	return {
		async addPat(token) {
			const row = await db
				.insertInto('pat_tokens')
				.values({
					...newRow(token),
					kind: 'pat',
					user_id: token.userId,
					scopes: JSON.stringify(token.scopes),
					session_epoch: token.epoch,
				})
				.returning(['created_at', 'expires_at'])
				.executeTakeFirstOrThrow()
			const { created_at, expires_at } = row
			return { id: token.tokenId, name: token.name, scopes: token.scopes, created_at, expires_at }
		},
		async addEnrol(token) {
			const row = await db
				.insertInto('pat_tokens')
				.values({ ...newRow(token), kind: 'enrol', user_id: token.userId, scopes: '[]', session_epoch: token.epoch })
				.returning('expires_at')
				.executeTakeFirstOrThrow()
			return row.expires_at
		},
		async replaceSetup(token) {
			await db.transaction().execute(async (transaction) => {
				await transaction
					.updateTable('pat_tokens')
					.set({ revoked_at: dialect.now })
					.where('kind', '=', 'enrol')
					.where('user_id', 'is', null)
					.where('revoked_at', 'is', null)
					.execute()
				await transaction
					.insertInto('pat_tokens')
					.values({ ...newRow(token), kind: 'enrol', user_id: null, scopes: '[]', session_epoch: 0 })
					.execute()
			})
		},
		async touchPat(tokenId) {
			await db.updateTable('pat_tokens').set({ last_used_at: dialect.now }).where('token_id', '=', tokenId).execute()
		},
		async listPats(userId) {
			const rows = await db
				.selectFrom('pat_tokens')
				.innerJoin('users', 'users.id', 'pat_tokens.user_id')
				.select(['pat_tokens.token_id', 'name', 'scopes', 'pat_tokens.created_at', 'expires_at', 'last_used_at'])
				.where('pat_tokens.user_id', '=', userId)
				.where('kind', '=', 'pat')
				.where('revoked_at', 'is', null)
				.where('expires_at', '>', dialect.now)
				.whereRef('pat_tokens.session_epoch', '=', 'users.session_epoch')
				.orderBy('pat_tokens.created_at', 'desc')
				.execute()
			return rows.map((row) => ({
				id: row.token_id,
				name: row.name,
				scopes: parseScopes(row.scopes),
				created_at: row.created_at,
				expires_at: row.expires_at,
				...(row.last_used_at === null ? {} : { last_used_at: row.last_used_at }),
			}))
		},
		async revoke(userId, kind, tokenId) {
			return await db.transaction().execute(async (transaction) => {
				const updated = await transaction
					.updateTable('pat_tokens')
					.set({ revoked_at: dialect.now })
					.where('token_id', '=', tokenId)
					.where('user_id', '=', userId)
					.where('kind', '=', kind)
					.where('revoked_at', 'is', null)
					.executeTakeFirst()
				if (updated.numUpdatedRows === 0n) return false
				await addEvent(transaction, dialect, 'credential', tokenId)
				return true
			})
		},
	}
}
