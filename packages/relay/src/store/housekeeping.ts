/** Deletes what has ended. Nothing depends on it: every query checks expiry itself. */
import { sql } from 'kysely'
import { SIGN_IN_ABSOLUTE_MS } from './credentials.ts'
import type { Db, StoreDialect } from './dialect.ts'

const BATCH = 1000
const HOUR_MS = 60 * 60 * 1000
/** Ended sessions and tokens stay this long for those who look into what happened. */
const KEPT_MS = 7 * 24 * HOUR_MS
const EVENTS_KEPT_MS = 60 * 1000

/** Gives the number of rows that went. Batched, so that it never holds the database for long. */
export async function cleanUp(db: Db, dialect: StoreDialect): Promise<number> {
	const before = (ms: number) => sql<number>`${dialect.now} - ${sql.lit(ms)}`
	const deletions = [
		() =>
			db
				.deleteFrom('control_events')
				.where('id', 'in', (eb) =>
					eb.selectFrom('control_events').select('id').where('at', '<', before(EVENTS_KEPT_MS)).limit(BATCH),
				),
		() =>
			db
				.deleteFrom('page_tickets')
				.where('id', 'in', (eb) => eb.selectFrom('page_tickets').select('id').where('expires_at', '<', dialect.now).limit(BATCH)),
		// Short page tokens come by the hundred a day; nobody needs those that ended.
		() =>
			db.deleteFrom('access_sessions').where('id', 'in', (eb) =>
				eb
					.selectFrom('access_sessions')
					.select('id')
					.where((or) =>
						or.or([
							or.and([or('kind', '=', 'web'), or('expires_at', '<', dialect.now)]),
							or('expires_at', '<', before(KEPT_MS)),
							or('idle_expires_at', '<', before(KEPT_MS)),
							or('revoked_at', '<', before(KEPT_MS)),
						]),
					)
					.limit(BATCH),
			),
		() =>
			db.deleteFrom('auth_sessions').where('id', 'in', (eb) =>
				eb
					.selectFrom('auth_sessions')
					.select('id')
					.where((or) =>
						or.or([
							or(dialect.authMs('expires_at'), '<', dialect.now),
							or(dialect.authMs('created_at'), '<', before(SIGN_IN_ABSOLUTE_MS)),
						]),
					)
					.limit(BATCH),
			),
		// Tokens that brought a node stay: the node names its token.
		() =>
			db.deleteFrom('pat_tokens').where('id', 'in', (eb) =>
				eb
					.selectFrom('pat_tokens')
					.select('id')
					.where((or) => or.or([or('expires_at', '<', before(KEPT_MS)), or('revoked_at', '<', before(KEPT_MS))]))
					.where((not) =>
						not.not(not.exists(not.selectFrom('nodes').select('nodes.id').whereRef('nodes.token_id', '=', 'pat_tokens.id'))),
					)
					.limit(BATCH),
			),
	]
	let total = 0
	for (const deletion of deletions) {
		for (let deleted = BATCH; deleted === BATCH; total += deleted) {
			deleted = Number((await deletion().executeTakeFirst()).numDeletedRows)
		}
	}
	return total
}
