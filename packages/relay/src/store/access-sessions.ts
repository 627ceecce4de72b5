import type { Scope, UserId } from '@sallyport/protocol'
import { sql } from 'kysely'
import type { Db, StoreDialect } from './dialect.ts'
import { addEvent } from './events.ts'

export interface NewAccessSession {
	readonly tokenId: string
	readonly tokenHash: string
	readonly kind: 'web' | 'cli'
	readonly userId: UserId
	readonly epoch: number
	readonly signInId?: string
	readonly deviceName: string
	readonly address: string
	readonly scopes: readonly Scope[]
	readonly idleMs: number
	readonly absoluteMs: number
}

export interface SessionRow {
	readonly id: string
	readonly kind: 'web' | 'cli'
	readonly deviceName: string
	readonly address: string
	readonly createdAtMs: number
	readonly lastActiveAtMs: number
	readonly expiresAtMs: number
}

export interface AccessSessions {
	/** Gives the absolute end by the database's clock. */
	add(session: NewAccessSession): Promise<number>
	/** Slides the idle end of a live session. A revoke in between wins: its row doesn't match any more. */
	touch(tokenId: string, idleMs: number): Promise<void>
	/** The live CLI sessions of a user; the sign-ins of browsers are in `signIns`. */
	list(userId: UserId): Promise<readonly SessionRow[]>
	/** False when the user has no such live session. */
	revoke(userId: UserId, tokenId: string): Promise<boolean>
}

export function createAccessSessions(db: Db, dialect: StoreDialect): AccessSessions {
	return {
		async add(session) {
			const row = await db
				.insertInto('access_sessions')
				.values({
					id: session.tokenId,
					kind: session.kind,
					token_hash: session.tokenHash,
					user_id: session.userId,
					sign_in_id: session.signInId ?? null,
					device_name: session.deviceName,
					address: session.address,
					scopes: JSON.stringify(session.scopes),
					version: 1,
					session_epoch: session.epoch,
					created_at: dialect.now,
					last_active_at: dialect.now,
					idle_expires_at: sql<number>`${dialect.now} + ${sql.lit(session.idleMs)}`,
					expires_at: sql<number>`${dialect.now} + ${sql.lit(session.absoluteMs)}`,
					revoked_at: null,
				})
				.returning('expires_at')
				.executeTakeFirstOrThrow()
			return row.expires_at
		},
		async touch(tokenId, idleMs) {
			await db
				.updateTable('access_sessions')
				.set((eb) => ({
					last_active_at: dialect.now,
					idle_expires_at: sql<number>`${dialect.now} + ${sql.lit(idleMs)}`,
					version: eb('version', '+', 1),
				}))
				.where('id', '=', tokenId)
				.where('revoked_at', 'is', null)
				.where('idle_expires_at', '>', dialect.now)
				.execute()
		},
		async list(userId) {
			const rows = await db
				.selectFrom('access_sessions')
				.innerJoin('users', 'users.id', 'access_sessions.user_id')
				.selectAll('access_sessions')
				.where('access_sessions.user_id', '=', userId)
				.where('access_sessions.kind', '=', 'cli')
				.where('access_sessions.revoked_at', 'is', null)
				.whereRef('access_sessions.session_epoch', '=', 'users.session_epoch')
				.where('access_sessions.expires_at', '>', dialect.now)
				.where('access_sessions.idle_expires_at', '>', dialect.now)
				.orderBy('access_sessions.last_active_at', 'desc')
				.execute()
			return rows.map((row) => ({
				id: row.id,
				kind: row.kind,
				deviceName: row.device_name,
				address: row.address,
				createdAtMs: row.created_at,
				lastActiveAtMs: row.last_active_at,
				expiresAtMs: row.expires_at,
			}))
		},
		async revoke(userId, tokenId) {
			return await db.transaction().execute(async (transaction) => {
				const updated = await transaction
					.updateTable('access_sessions')
					.set((eb) => ({ revoked_at: dialect.now, version: eb('version', '+', 1) }))
					.where('id', '=', tokenId)
					.where('user_id', '=', userId)
					.where('kind', '=', 'cli')
					.where('revoked_at', 'is', null)
					.executeTakeFirst()
				if (updated.numUpdatedRows === 0n) return false
				await addEvent(transaction, dialect, 'credential', tokenId)
				return true
			})
		},
	}
}
