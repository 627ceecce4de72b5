/**
 * What one process changed and others must hear of. A row is written in the same transaction as the change, so neither
 * is ever there without the other.
 */
import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Db, StoreDialect } from './dialect.ts'
import type { ControlEventsTable } from './schema.ts'

export interface ControlEvent {
	readonly id: string
	readonly kind: ControlEventsTable['kind']
	readonly subject: string
}

export interface Events {
	/**
	 * The events of the last `windowMs`, oldest first. The caller drops those it has seen: a window, rather than a
	 * counter, because transactions don't commit in the order in which they took their numbers.
	 */
	recent(windowMs: number): Promise<readonly ControlEvent[]>
}

export function createEvents(db: Db, dialect: StoreDialect): Events {
	return {
		recent: (windowMs) =>
			db
				.selectFrom('control_events')
				.select(['id', 'kind', 'subject'])
				.where('at', '>', sql<number>`${dialect.now} - ${sql.lit(windowMs)}`)
				.orderBy('at')
				.execute(),
	}
}

export async function addEvent(db: Db, dialect: StoreDialect, kind: ControlEvent['kind'], subject: string): Promise<void> {
	await db.insertInto('control_events').values({ id: randomUUID(), at: dialect.now, kind, subject }).execute()
}
