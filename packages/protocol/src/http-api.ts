/**
 * The relay's HTTP interface as JSON: what the page, the CLI and agents send and get.
 *
 * Every error is `ApiError` with a fitting status. All routes need `Authorization: Bearer <token>` but those marked
 * open and those marked cookie. Times are milliseconds since 1970.
 *
 * | route | who | request -> answer |
 * |---|---|---|
 * | `GET /healthz`, `/readyz`, `/version` | open | `HealthAnswer`, `HealthAnswer`, `VersionAnswer` |
 * | `GET /api/info` | open | `RelayInfo` |
 * | `POST /api/setup` | set-up secret | `SetupRequest` -> `SetupAnswer`, and the sign-in cookie |
 * | `POST /api/auth/sign-in/email`, `/api/auth/sign-out`, `/api/auth/change-password` | cookie | better-auth's own shapes |
 * | `POST /api/session/token` | cookie + header `x-sallyport-csrf: 1` + own Origin | `{}` -> `AccessTokenAnswer` |
 * | `POST /api/session/page-ticket` | web token | `{}` -> `PageTicketAnswer` |
 * | `POST /api/cli/login` | password in the body | `CliLoginRequest` -> `CliLoginAnswer` |
 * | `GET /api/session`, `DELETE /api/session` | token | `SessionAnswer`; 204 (ends the session behind the token) |
 * | `PATCH /api/account` | web, cli | `AccountPatch` -> `UserInfo` |
 * | `GET /api/nodes` | scope `nodes:read` | `NodesAnswer` |
 * | `PATCH /api/nodes/:id`, `DELETE /api/nodes/:id` | owner of the node | `NodePatch` -> `NodeInfo`; 204 |
 * | `POST /api/nodes/enrol` | enrol token or PAT with `nodes:enrol`, in the body | `EnrolRequest` -> `EnrolAnswer` |
 * | `GET /api/connections` | scope `nodes:read` | `ConnectionsAnswer` |
 * | `DELETE /api/connections/:id` | the user of the link, or the node's owner | 204; cuts the link |
 * | `POST /api/enrol-tokens` | web, cli | `EnrolTokenRequest` -> `EnrolTokenAnswer` |
 * | `DELETE /api/enrol-tokens/:id` | web, cli | 204 |
 * | `GET /api/tokens`, `POST /api/tokens`, `DELETE /api/tokens/:id` | web, cli (never a PAT) | `TokensAnswer`; `TokenRequest` -> `TokenCreated`; 204 |
 * | `GET /api/access-sessions`, `DELETE /api/access-sessions/:id` | web, cli | `AccessSessionsAnswer`; 204 |
 * | `GET /stats` | scope `nodes:read` | `StatsAnswer` |
 * | `GET /v1/streams/nodes?offset=…&live=sse` | scope `nodes:read` | Server-sent events: `data` (a JSON array of `NodeEvent`), `control` (`StreamControl`) |
 */
import type { NodeId, RelayId, UserId } from './ids.ts'

export interface ApiError {
	readonly error: {
		/** Stable, listed in `docs/errors.md`. */
		readonly code: ApiErrorCode
		/** What happened, why, and what to do now; for people. */
		readonly message: string
		readonly retry_after_ms?: number
	}
}

export const API_ERROR_CODES = [
	'bad_request',
	'unauthenticated',
	'forbidden',
	'not_found',
	'conflict',
	'too_large',
	'rate_limited',
	'setup_done',
	'setup_invalid',
	'token_invalid',
	'name_taken',
	'unavailable',
	'internal',
] as const
export type ApiErrorCode = (typeof API_ERROR_CODES)[number]

export interface HealthAnswer {
	readonly status: 'ok' | 'unavailable'
	readonly reason?: string
}

export interface VersionAnswer {
	readonly name: 'sallyport-relay' | 'sallyport-agent'
	readonly version: string
	readonly protocol_versions: readonly number[]
}

export interface RelayInfo {
	readonly relay_id: RelayId
	/** The origin under which this relay is known; pairings are bound to it. */
	readonly origin: string
	/** Where machines and programs find it: the origin, with a path prefix if there is one. */
	readonly url?: string
	readonly version: string
	/** True until the owner account exists. */
	readonly setup_needed: boolean
}

export interface SetupRequest {
	readonly setup_secret: string
	readonly email: string
	readonly username: string
	readonly password: string
}

export interface SetupAnswer {
	readonly user: UserInfo
	/** The node that enrolled with the set-up token and now belongs to the owner, if it was there. */
	readonly node_id?: NodeId
}

export type Role = 'user' | 'admin' | 'owner'

export interface UserInfo {
	readonly id: UserId
	readonly email: string
	readonly username: string
	readonly roles: readonly Role[]
}

export interface AccessTokenAnswer {
	readonly access_token: string
	readonly expires_at: number
	readonly user: UserInfo
}

export interface PageTicketAnswer {
	readonly page_ticket: string
	readonly expires_at: number
}

export interface CliLoginRequest {
	readonly email: string
	readonly password: string
	readonly device_name: string
}

export interface CliLoginAnswer {
	readonly token: string
	/** Absolute end; the session also ends after 7 idle days. */
	readonly expires_at: number
	readonly user: UserInfo
}

export interface SessionAnswer {
	readonly kind: 'web' | 'cli' | 'pat'
	readonly user: UserInfo
	readonly scopes: readonly Scope[]
	readonly expires_at: number
}

export interface AccountPatch {
	readonly username: string
}

export const SCOPES = ['nodes:read', 'nodes:open', 'nodes:enrol'] as const
/** What a token may do. `web` and `cli` sessions hold the first two and may also manage the account. */
export type Scope = (typeof SCOPES)[number]

/** Host figures of a heartbeat. Bytes; load as the kernel gives it. */
export interface NodeStats {
	readonly cpus: number
	readonly load1: number
	readonly load5: number
	readonly load15: number
	readonly memory_total: number
	readonly memory_used: number
	readonly disk_total: number
	readonly disk_used: number
	readonly uptime_s: number
	readonly processes?: number
}

export type NodeOfflineReason = 'never_connected' | 'lost' | 'stopped' | 'revoked' | 'relay_restarting' | 'version_too_old'

export interface NodeInfo {
	readonly id: NodeId
	readonly name: string
	readonly owner: { readonly id: UserId; readonly username: string }
	readonly created_at: number
	readonly connected: boolean
	/** When the present or last connection began. */
	readonly connected_at?: number
	readonly last_seen_at?: number
	/** Present when not connected. */
	readonly offline_reason?: NodeOfflineReason
	readonly hostname?: string
	readonly os?: string
	readonly agent_version?: string
	/** Round trip between relay and agent, from WebSocket pings. */
	readonly latency_ms?: number
	readonly stats?: NodeStats
	/** Id of the enrol token the node came by: how the device that made a join bundle knows its machine. */
	readonly enrol_token_id?: string
	/** Links open through this relay now. */
	readonly links: number
	/** What this principal may do with it. */
	readonly access: 'view' | 'use' | 'admin'
}

export interface NodesAnswer {
	readonly nodes: readonly NodeInfo[]
	/** Where `/v1/streams/nodes` goes on from this answer without a gap. */
	readonly stream_offset: string
}

export type NodeEvent =
	/** First of a batch: what follows in it is everything this principal may see; what was known before is void. */
	| { readonly type: 'reset' }
	| { readonly type: 'node'; readonly node: NodeInfo }
	| { readonly type: 'node_removed'; readonly id: NodeId }

export interface StreamControl {
	readonly streamNextOffset: string
	readonly upToDate?: boolean
}

export interface NodePatch {
	readonly name: string
}

export interface EnrolRequest {
	readonly token: string
	/** Wanted name; the relay appends a number when the owner has that name already. */
	readonly name: string
	/** Ed25519, base64url. */
	readonly identity_key: string
	/** Over `signingInput('enrol', …)`: see `signing.ts`. base64url. */
	readonly signature: string
	readonly timestamp: number
	readonly hostname: string
	readonly os: string
	readonly agent_version: string
}

export interface EnrolAnswer {
	readonly node_id: NodeId
	readonly name: string
	readonly relay_id: RelayId
	readonly origin: string
	/** The user the node belongs to; absent until first-run set-up. */
	readonly owner?: { readonly id: UserId; readonly username: string }
}

export interface ConnectionInfo {
	readonly id: string
	readonly node_id: NodeId
	readonly node_name: string
	readonly user: { readonly id: UserId; readonly username: string }
	readonly client_address: string
	readonly client_kind: 'web' | 'cli' | 'pat'
	readonly opened_at: number
	readonly bytes_to_node: number
	readonly bytes_to_client: number
}

export interface ConnectionsAnswer {
	readonly connections: readonly ConnectionInfo[]
}

export interface EnrolTokenRequest {
	readonly name?: string
}

export interface EnrolTokenAnswer {
	readonly token: string
	/** Selects the pairing secret (`secret_id`) in the handshake. */
	readonly token_id: string
	readonly expires_at: number
}

export interface TokenInfo {
	readonly id: string
	readonly name: string
	readonly scopes: readonly Scope[]
	readonly created_at: number
	readonly expires_at: number
	readonly last_used_at?: number
}

export interface TokensAnswer {
	readonly tokens: readonly TokenInfo[]
}

export interface TokenRequest {
	readonly name: string
	readonly scopes: readonly Scope[]
	/** 90 by default, 366 at most. */
	readonly expires_in_days?: number
}

export interface TokenCreated {
	/** Shown once. */
	readonly token: string
	readonly info: TokenInfo
}

export interface AccessSessionInfo {
	readonly id: string
	readonly kind: 'web' | 'cli'
	readonly device_name: string
	readonly address: string
	readonly created_at: number
	readonly last_active_at: number
	readonly expires_at: number
	readonly current: boolean
}

export interface AccessSessionsAnswer {
	readonly sessions: readonly AccessSessionInfo[]
}

export interface StatsAnswer {
	readonly version: string
	readonly uptime_s: number
	readonly nodes_total: number
	readonly nodes_connected: number
	readonly links_open: number
	readonly bytes_to_nodes: number
	readonly bytes_to_clients: number
	/** Of the relay's process; shown to administrators alone. */
	readonly memory_rss?: number
}
