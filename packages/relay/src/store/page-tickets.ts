import type { UserId } from '@sallyport/protocol'
import { sql } from 'kysely'
import type { Db, StoreDialect } from './dialect.ts'

export interface PageTickets {
	/** Gives its end by the database's clock. */
	add(ticket: {
		readonly ticketId: string
		readonly ticketHash: string
		readonly signInId: string
		readonly userId: UserId
		readonly epoch: number
		readonly ttlMs: number
	}): Promise<number>
	/** Takes the ticket: of any number of calls with one ticket, in any process, one gets the sign-in it stands for. */
	redeem(ticketId: string, ticketHash: string): Promise<{ readonly signInId: string; readonly epoch: number } | undefined>
}

export function createPageTickets(db: Db, dialect: StoreDialect): PageTickets {
	return {
		async add(ticket) {
			const row = await db
				.insertInto('page_tickets')
				.values({
					id: ticket.ticketId,
					ticket_hash: ticket.ticketHash,
					sign_in_id: ticket.signInId,
					user_id: ticket.userId,
					session_epoch: ticket.epoch,
					created_at: dialect.now,
					expires_at: sql<number>`${dialect.now} + ${sql.lit(ticket.ttlMs)}`,
				})
				.returning('expires_at')
				.executeTakeFirstOrThrow()
			return row.expires_at
		},
		async redeem(ticketId, ticketHash) {
			const row = await db
				.deleteFrom('page_tickets')
				.where('id', '=', ticketId)
				.where('ticket_hash', '=', ticketHash)
				.where('expires_at', '>', dialect.now)
				.returning(['sign_in_id', 'session_epoch'])
				.executeTakeFirst()
			return row === undefined ? undefined : { signInId: row.sign_in_id, epoch: row.session_epoch }
		},
	}
}
