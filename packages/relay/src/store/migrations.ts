/**
 * The schema, as steps that run once each and in order. A step that has shipped is never edited: add another. Steps are
 * raw SQL, so that they keep their meaning when the types move on.
 */
import type { Kysely } from 'kysely'
import { sql } from 'kysely'
import type { Engine } from './dialect.ts'
import { StoreError } from './errors.ts'
import type { Database } from './schema.ts'

interface Migration {
	readonly id: string
	up(db: Kysely<Database>, engine: Engine): Promise<void>
}

/** Any number will do, as long as every relay takes the same one. */
const ADVISORY_LOCK = 7_254_417_710

export const MIGRATIONS: readonly Migration[] = [
	{ id: '0001-accounts', up: createAccounts },
	{ id: '0002-tokens-and-nodes', up: createTokensAndNodes },
	{ id: '0003-access', up: createAccess },
]

/** Brings the schema up to date in one transaction. Several processes may call it at once. */
export async function migrate(db: Kysely<Database>, engine: Engine): Promise<void> {
	await db.transaction().execute(async (transaction) => {
		if (engine === 'postgres') {
			// Waiting for another process that migrates may take longer than any query is else allowed to.
			await sql`set local statement_timeout = 0`.execute(transaction)
			await sql`select pg_advisory_xact_lock(${sql.lit(ADVISORY_LOCK)})`.execute(transaction)
		}
		await sql`create table if not exists schema_migrations (id text primary key, applied_at bigint not null)`.execute(transaction)
		const rows = await sql<{ id: string }>`select id from schema_migrations`.execute(transaction)
		const applied = new Set(rows.rows.map((row) => row.id))
		const unknown = [...applied].filter((id) => !MIGRATIONS.some((migration) => migration.id === id))
		if (unknown.length > 0) {
			throw new StoreError(
				'STORE_TOO_NEW',
				`the database was changed by a newer version of Sallyport (${unknown.join(', ')}): start that version again, or restore a backup made before the upgrade`,
			)
		}
		for (const migration of MIGRATIONS) {
			if (applied.has(migration.id)) continue
			await migration.up(transaction, engine)
			await sql`insert into schema_migrations (id, applied_at) values (${migration.id}, ${Date.now()})`.execute(transaction)
		}
	})
}

async function createAccounts(db: Kysely<Database>, engine: Engine): Promise<void> {
	const date = sql.raw(engine === 'postgres' ? 'timestamptz' : 'text')
	const boolean = sql.raw(engine === 'postgres' ? 'boolean' : 'integer')
	await sql`create table users (
		id text primary key,
		created_at ${date} not null,
		updated_at ${date} not null,
		provider text not null default 'password',
		email text not null unique,
		email_verified ${boolean} not null,
		password text,
		username text not null,
		avatar_url text,
		roles text not null default '["user"]',
		session_epoch bigint not null default 0,
		disabled_at bigint
	)`.execute(db)
	await sql`create table auth_sessions (
		id text primary key,
		user_id text not null references users (id) on delete cascade,
		token text not null unique,
		expires_at ${date} not null,
		created_at ${date} not null,
		updated_at ${date} not null,
		ip_address text,
		user_agent text
	)`.execute(db)
	await sql`create index auth_sessions_user on auth_sessions (user_id)`.execute(db)
	await sql`create index auth_sessions_expiry on auth_sessions (expires_at)`.execute(db)
	await sql`create table auth_accounts (
		id text primary key,
		user_id text not null references users (id) on delete cascade,
		account_id text not null,
		provider_id text not null,
		access_token text,
		refresh_token text,
		id_token text,
		access_token_expires_at ${date},
		refresh_token_expires_at ${date},
		scope text,
		password text,
		created_at ${date} not null,
		updated_at ${date} not null,
		unique (provider_id, account_id)
	)`.execute(db)
	await sql`create index auth_accounts_user on auth_accounts (user_id)`.execute(db)
	await sql`create table auth_verifications (
		id text primary key,
		identifier text not null,
		value text not null,
		expires_at ${date} not null,
		created_at ${date} not null,
		updated_at ${date} not null
	)`.execute(db)
	await sql`create index auth_verifications_identifier on auth_verifications (identifier)`.execute(db)
}

async function createTokensAndNodes(db: Kysely<Database>): Promise<void> {
	await sql`create table pat_tokens (
		id text primary key,
		token_id text not null unique,
		token_hash text not null,
		kind text not null,
		user_id text references users (id) on delete cascade,
		name text not null,
		scopes text not null,
		created_at bigint not null,
		expires_at bigint not null,
		last_used_at bigint,
		revoked_at bigint,
		used_by_node text,
		session_epoch bigint not null
	)`.execute(db)
	await sql`create index pat_tokens_user on pat_tokens (user_id)`.execute(db)
	await sql`create index pat_tokens_expiry on pat_tokens (expires_at)`.execute(db)
	await sql`create table nodes (
		id text primary key,
		user_id text references users (id) on delete cascade,
		token_id text references pat_tokens (id) on delete set null,
		name text not null,
		created_at bigint not null,
		connected integer not null default 0,
		connected_at bigint,
		last_seen_at bigint,
		stopped_cleanly integer not null default 0,
		identity_key text not null unique,
		hostname text,
		os text,
		agent_version text,
		revoked_at bigint
	)`.execute(db)
	// A removed machine doesn't hold its name, so the index covers only those that are there.
	await sql`create unique index nodes_name_per_owner on nodes (user_id, name) where revoked_at is null`.execute(db)
	await sql`create index nodes_connected on nodes (user_id) where connected = 1`.execute(db)
}

async function createAccess(db: Kysely<Database>): Promise<void> {
	await sql`create table access_sessions (
		id text primary key,
		kind text not null,
		token_hash text not null,
		user_id text not null references users (id) on delete cascade,
		sign_in_id text references auth_sessions (id) on delete cascade,
		device_name text not null,
		address text not null,
		scopes text not null,
		version bigint not null,
		session_epoch bigint not null,
		created_at bigint not null,
		last_active_at bigint not null,
		idle_expires_at bigint not null,
		expires_at bigint not null,
		revoked_at bigint
	)`.execute(db)
	await sql`create index access_sessions_user on access_sessions (user_id, kind)`.execute(db)
	await sql`create index access_sessions_expiry on access_sessions (expires_at)`.execute(db)
	await sql`create index access_sessions_last_active on access_sessions (last_active_at)`.execute(db)
	await sql`create index access_sessions_sign_in on access_sessions (sign_in_id)`.execute(db)
	await sql`create table page_tickets (
		id text primary key,
		ticket_hash text not null,
		sign_in_id text not null references auth_sessions (id) on delete cascade,
		user_id text not null references users (id) on delete cascade,
		session_epoch bigint not null,
		created_at bigint not null,
		expires_at bigint not null
	)`.execute(db)
	await sql`create index page_tickets_expiry on page_tickets (expires_at)`.execute(db)
	await sql`create table relay_settings (key text primary key, value text not null)`.execute(db)
	await sql`create table control_events (id text primary key, at bigint not null, kind text not null, subject text not null)`.execute(
		db,
	)
	await sql`create index control_events_at on control_events (at)`.execute(db)
}
