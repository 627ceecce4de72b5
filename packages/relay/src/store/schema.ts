/**
 * The relay's tables as types. Ids are text, times integer milliseconds, JSON is text; only better-auth's own tables and
 * the columns it writes in `users` hold dates in the form of the engine (`AuthDate`).
 */
import type { ColumnType, Selectable } from 'kysely'

/** ISO text on SQLite, timestamp with time zone on PostgreSQL. Never compare these in JavaScript: see `dialect.ts`. */
export type AuthDate = ColumnType<string | Date, string | Date, string | Date>

export interface UsersTable {
	id: string
	created_at: AuthDate
	updated_at: AuthDate
	/** How the account came to be: `password`, later the id of an identity provider. */
	provider: ColumnType<string, string | undefined, string>
	email: string
	email_verified: number | boolean
	/** Kept for the schema's sake; password hashes live in `auth_accounts`. */
	password: string | null
	username: string
	avatar_url: string | null
	/** JSON array of roles. */
	roles: string
	/** Raised when all credentials of the user end at once; a credential made under an older epoch is dead. */
	session_epoch: ColumnType<number, number | undefined, number>
	disabled_at: number | null
}

export interface AuthSessionsTable {
	id: string
	user_id: string
	token: string
	expires_at: AuthDate
	created_at: AuthDate
	updated_at: AuthDate
	ip_address: string | null
	user_agent: string | null
}

export interface AuthAccountsTable {
	id: string
	user_id: string
	account_id: string
	provider_id: string
	access_token: string | null
	refresh_token: string | null
	id_token: string | null
	access_token_expires_at: AuthDate | null
	refresh_token_expires_at: AuthDate | null
	scope: string | null
	password: string | null
	created_at: AuthDate
	updated_at: AuthDate
}

export interface AuthVerificationsTable {
	id: string
	identifier: string
	value: string
	expires_at: AuthDate
	created_at: AuthDate
	updated_at: AuthDate
}

/** Personal access tokens, and enrol and set-up tokens: `kind` says which. */
export interface PatTokensTable {
	id: string
	/** The public part of the token's text. */
	token_id: string
	/** SHA-256 of the whole text, base64url. */
	token_hash: string
	kind: 'pat' | 'enrol'
	/** Absent for a set-up token until the owner account exists. */
	user_id: string | null
	name: string
	/** JSON array. */
	scopes: string
	created_at: number
	expires_at: number
	last_used_at: number | null
	revoked_at: number | null
	/** The node that used up an enrol token; that node alone may repeat. */
	used_by_node: string | null
	session_epoch: number
}

export interface NodesTable {
	id: string
	user_id: string | null
	/** The token it enrolled with. */
	token_id: string | null
	name: string
	created_at: number
	connected: number
	connected_at: number | null
	last_seen_at: number | null
	stopped_cleanly: number
	/** Ed25519, base64url. */
	identity_key: string
	hostname: string | null
	os: string | null
	agent_version: string | null
	revoked_at: number | null
}

export interface AccessSessionsTable {
	/** The public part of the token's text. */
	id: string
	kind: 'web' | 'cli'
	token_hash: string
	user_id: string
	/** The sign-in that a `web` token stands on. */
	sign_in_id: string | null
	device_name: string
	address: string
	scopes: string
	version: number
	session_epoch: number
	created_at: number
	last_active_at: number
	idle_expires_at: number
	expires_at: number
	revoked_at: number | null
}

export interface PageTicketsTable {
	id: string
	ticket_hash: string
	sign_in_id: string
	user_id: string
	session_epoch: number
	created_at: number
	expires_at: number
}

export interface RelaySettingsTable {
	key: string
	value: string
}

/** What other processes on the same database must hear of: revocations and changes of nodes. Kept for a minute. */
export interface ControlEventsTable {
	id: string
	at: number
	kind: 'credential' | 'user' | 'node' | 'node_changed'
	subject: string
}

export interface Database {
	users: UsersTable
	auth_sessions: AuthSessionsTable
	auth_accounts: AuthAccountsTable
	auth_verifications: AuthVerificationsTable
	pat_tokens: PatTokensTable
	nodes: NodesTable
	access_sessions: AccessSessionsTable
	page_tickets: PageTicketsTable
	relay_settings: RelaySettingsTable
	control_events: ControlEventsTable
}

export type NodeRow = Selectable<NodesTable>
export type TokenRow = Selectable<PatTokensTable>
