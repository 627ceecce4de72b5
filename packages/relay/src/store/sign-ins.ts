/** Browser sign-ins: rows that better-auth makes and this relay lists and ends. */
import type { UserId } from '@sallyport/protocol'
import type { SessionRow } from './access-sessions.ts'
import { SIGN_IN_ABSOLUTE_MS } from './credentials.ts'
import type { Db, StoreDialect } from './dialect.ts'
import { addEvent } from './events.ts'

export interface SignIns {
	list(userId: UserId): Promise<readonly (SessionRow & { readonly userAgent: string })[]>
	/** Ends a sign-in, and with it all tokens, tickets and sockets that stand on it. */
	end(userId: UserId, signInId: string): Promise<boolean>
}

export function createSignIns(db: Db, dialect: StoreDialect): SignIns {
	return {
		async list(userId) {
			const rows = await db
				.selectFrom('auth_sessions')
				.select(['id', 'ip_address', 'user_agent'])
				.select([dialect.authMs('created_at').as('created'), dialect.authMs('updated_at').as('active')])
				.select([dialect.authMs('expires_at').as('idle_end'), dialect.now.as('now')])
				.where('user_id', '=', userId)
				.execute()
			return rows
				.map((row) => ({
					id: row.id,
					kind: 'web' as const,
					deviceName: '',
					userAgent: row.user_agent ?? '',
					address: row.ip_address ?? '',
					createdAtMs: row.created,
					lastActiveAtMs: row.active,
					expiresAtMs: row.created + SIGN_IN_ABSOLUTE_MS,
					isLive: row.idle_end > row.now && row.created + SIGN_IN_ABSOLUTE_MS > row.now,
				}))
				.filter((row) => row.isLive)
				.map(({ isLive: _isLive, ...row }) => row)
		},
		async end(userId, signInId) {
			return await db.transaction().execute(async (transaction) => {
				const deleted = await transaction
					.deleteFrom('auth_sessions')
					.where('id', '=', signInId)
					.where('user_id', '=', userId)
					.executeTakeFirst()
				if (deleted.numDeletedRows === 0n) return false
				await addEvent(transaction, dialect, 'credential', signInId)
				return true
			})
		},
	}
}
