/** The relay's memory: one schema, one set of queries, two engines. */
import { randomBytes } from 'node:crypto'
import type { RelayId } from '@sallyport/protocol'
import { relayIdSchema } from '@sallyport/protocol'
import type { Kysely } from 'kysely'
import { sql } from 'kysely'
import * as v from 'valibot'
import type { AccessSessions } from './access-sessions.ts'
import { createAccessSessions } from './access-sessions.ts'
import type { Credentials } from './credentials.ts'
import { createCredentials } from './credentials.ts'
import type { Engine, StoreDialect } from './dialect.ts'
import { POSTGRES, SQLITE } from './dialect.ts'
import type { Events } from './events.ts'
import { createEvents } from './events.ts'
import { cleanUp } from './housekeeping.ts'
import { migrate } from './migrations.ts'
import type { Nodes } from './nodes.ts'
import { createNodes } from './nodes.ts'
import type { PageTickets } from './page-tickets.ts'
import { createPageTickets } from './page-tickets.ts'
import { openPostgres } from './postgres.ts'
import type { Database } from './schema.ts'
import type { SignIns } from './sign-ins.ts'
import { createSignIns } from './sign-ins.ts'
import { openSqlite } from './sqlite.ts'
import type { Tokens } from './tokens.ts'
import { createTokens } from './tokens.ts'
import type { Users } from './users.ts'
import { createUsers } from './users.ts'

export interface Store {
	readonly engine: Engine
	/** For better-auth, which brings its own queries. */
	readonly db: Kysely<Database>
	readonly users: Users
	readonly signIns: SignIns
	readonly credentials: Credentials
	readonly accessSessions: AccessSessions
	readonly pageTickets: PageTickets
	readonly tokens: Tokens
	readonly nodes: Nodes
	readonly events: Events
	/** Random, made at the first start and kept: agents and clients pin it. */
	relayId(): Promise<RelayId>
	/** Deletes what has ended; gives the number of rows. */
	cleanUp(): Promise<number>
	/** Rejects when the database can't answer. */
	ping(): Promise<void>
	close(): Promise<void>
}

export type StoreConfig =
	| { readonly kind: 'sqlite'; readonly dataDir: string }
	| { readonly kind: 'postgres'; readonly url: string; readonly onPoolError?: (failure: Error) => void }

/** Opens the database and brings its schema up to date. Throws `StoreError`, whose message is meant to be shown. */
export async function openStore(config: StoreConfig): Promise<Store> {
	if (config.kind === 'postgres') {
		const ignoreIdleFailure = () => {} // The pool drops the connection; the next query tells whether the server is back.
		const db = await openPostgres(config.url, config.onPoolError ?? ignoreIdleFailure)
		return await prepare(db, POSTGRES, () => {})
	}
	const { db, release } = openSqlite(config.dataDir)
	const store = await prepare(db, SQLITE, release)
	await store.nodes.resetConnected()
	return store
}

async function prepare(db: Kysely<Database>, dialect: StoreDialect, release: () => void): Promise<Store> {
	try {
		await migrate(db, dialect.engine)
	} catch (failure) {
		await db.destroy()
		release()
		throw failure
	}
	let closing: Promise<void> | undefined
	return {
		engine: dialect.engine,
		db,
		users: createUsers(db, dialect),
		signIns: createSignIns(db, dialect),
		credentials: createCredentials(db, dialect),
		accessSessions: createAccessSessions(db, dialect),
		pageTickets: createPageTickets(db, dialect),
		tokens: createTokens(db, dialect),
		nodes: createNodes(db, dialect),
		events: createEvents(db, dialect),
		relayId: () => relayId(db),
		cleanUp: () => cleanUp(db, dialect),
		async ping() {
			await sql`select 1`.execute(db)
		},
		close() {
			closing ??= db.destroy().then(release)
			return closing
		},
	}
}

async function relayId(db: Kysely<Database>): Promise<RelayId> {
	await db
		.insertInto('relay_settings')
		.values({ key: 'relay_id', value: randomBytes(16).toString('base64url') })
		.onConflict((conflict) => conflict.column('key').doNothing())
		.execute()
	const row = await db.selectFrom('relay_settings').select('value').where('key', '=', 'relay_id').executeTakeFirstOrThrow()
	return v.parse(relayIdSchema, row.value)
}
