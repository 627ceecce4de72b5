/** The few expressions that the two engines spell differently. Everything else in this folder is portable SQL. */
import type { Kysely, RawBuilder, Transaction } from 'kysely'
import { sql } from 'kysely'
import type { Database } from './schema.ts'

export type Engine = 'sqlite' | 'postgres'

/** A database or a transaction on it. */
export type Db = Kysely<Database> | Transaction<Database>

export interface StoreDialect {
	readonly engine: Engine
	/** The database's own clock, in ms: expiry never depends on the clock of the process that asks. */
	readonly now: RawBuilder<number>
	/** A date column of better-auth as ms. */
	authMs(column: string): RawBuilder<number>
	/** Now, as better-auth would write it. */
	authNow(): string | Date
	authBoolean(value: boolean): number | boolean
	/** Locks the rows of a select until the transaction ends; SQLite has one writer anyway. */
	readonly locksRows: boolean
}

export const SQLITE: StoreDialect = {
	engine: 'sqlite',
	now: sql<number>`cast(unixepoch('subsec') * 1000 as integer)`,
	authMs: (column) => sql<number>`cast(unixepoch(${sql.ref(column)}, 'subsec') * 1000 as integer)`,
	authNow: () => new Date().toISOString(),
	authBoolean: (value) => (value ? 1 : 0),
	locksRows: false,
}

export const POSTGRES: StoreDialect = {
	engine: 'postgres',
	now: sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`,
	authMs: (column) => sql<number>`(extract(epoch from ${sql.ref(column)}) * 1000)::bigint`,
	authNow: () => new Date(),
	authBoolean: (value) => value,
	locksRows: true,
}
