/** PostgreSQL by `DATABASE_URL`, 15 or later. */
import { Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { StoreError } from './errors.ts'
import type { Database } from './schema.ts'

const INT8_OID = 20
const OLDEST_VERSION = 150_000

/** Connects and checks the server's version. Throws `STORE_UNREACHABLE` or `STORE_TOO_OLD`; neither names the password. */
export async function openPostgres(url: string, onPoolError: (failure: Error) => void): Promise<Kysely<Database>> {
	const pool = new pg.Pool({
		connectionString: url,
		max: 10,
		connectionTimeoutMillis: 3000,
		statement_timeout: 5000,
		idle_in_transaction_session_timeout: 10_000,
		application_name: 'sallyport-relay',
		types: {
			getTypeParser: (oid, format) => {
				// Times and counters fit a double; pg would give them as text.
				if (oid === INT8_OID) return Number
				// Safe: a parser takes the text of a value; pg's types leave open what it makes of it.
				return pg.types.getTypeParser(oid, format) as (text: string) => unknown
			},
		},
	})
	// A pool without a listener throws when an idle connection breaks, and would end the process.
	pool.on('error', onPoolError)
	const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })
	try {
		const answer = await sql<{ version: number }>`select current_setting('server_version_num')::int as version`.execute(db)
		const version = answer.rows[0]?.version ?? 0
		if (version >= OLDEST_VERSION) return db
		throw new StoreError('STORE_TOO_OLD', `PostgreSQL ${Math.floor(version / 10_000)} is too old: Sallyport needs 15 or later`)
	} catch (failure) {
		await db.destroy()
		if (failure instanceof StoreError) throw failure
		const reason = failure instanceof Error ? failure.message : 'no reason given'
		throw new StoreError(
			'STORE_UNREACHABLE',
			`PostgreSQL can't be reached (${reason}): check DATABASE_URL and that the server runs`,
			{
				cause: failure,
			},
		)
	}
}
