/** What the relay's HTTP interface may answer, as schemas: a relay is outside, and its words are hostile until parsed. */
import {
	type AccessSessionInfo,
	type AccessTokenAnswer,
	API_ERROR_CODES,
	type CliLoginAnswer,
	type ConnectionInfo,
	type EnrolTokenAnswer,
	type NodeEvent,
	type NodeInfo,
	type NodesAnswer,
	nameField,
	nodeIdSchema,
	type PageTicketAnswer,
	type RelayInfo,
	relayIdSchema,
	SCOPES,
	type SessionAnswer,
	type StatsAnswer,
	type StreamControl,
	type TokenCreated,
	type TokenInfo,
	textField,
	timeField,
	type UserInfo,
	uintField,
	userIdSchema,
} from '@sallyport/protocol'
import * as v from 'valibot'

type Schema<T> = v.GenericSchema<unknown, T>

const optional = v.exactOptional
const list = <T>(item: Schema<T>, max = 10_000) => v.pipe(v.array(item), v.maxLength(max))

export const apiErrorSchema = v.object({
	error: v.object({
		code: v.fallback(v.picklist(API_ERROR_CODES), 'internal'),
		message: textField(2048),
		retry_after_ms: optional(uintField),
	}),
})

export const relayInfoSchema: Schema<RelayInfo> = v.object({
	relay_id: relayIdSchema,
	origin: textField(512),
	url: v.exactOptional(textField(512)),
	version: textField(64),
	setup_needed: v.boolean(),
})

export const userSchema: Schema<UserInfo> = v.object({
	id: userIdSchema,
	email: textField(320),
	username: nameField,
	roles: v.pipe(v.array(v.picklist(['user', 'admin', 'owner'])), v.maxLength(8)),
})

export const setupAnswerSchema: Schema<{ user: UserInfo }> = v.object({ user: userSchema })

export const accessTokenSchema: Schema<AccessTokenAnswer> = v.object({
	access_token: textField(4096),
	expires_at: timeField,
	user: userSchema,
})

export const pageTicketSchema: Schema<PageTicketAnswer> = v.object({ page_ticket: textField(4096), expires_at: timeField })

export const cliLoginSchema: Schema<CliLoginAnswer> = v.object({
	token: textField(4096),
	expires_at: timeField,
	user: userSchema,
})

const scopes = v.pipe(v.array(v.picklist(SCOPES)), v.maxLength(16))

export const sessionSchema: Schema<SessionAnswer> = v.object({
	kind: v.picklist(['web', 'cli', 'pat']),
	user: userSchema,
	scopes,
	expires_at: timeField,
})

const nodeStatsSchema = v.object({
	cpus: uintField,
	load1: v.number(),
	load5: v.number(),
	load15: v.number(),
	memory_total: uintField,
	memory_used: uintField,
	disk_total: uintField,
	disk_used: uintField,
	uptime_s: uintField,
	processes: optional(uintField),
})

const personSchema = v.object({ id: userIdSchema, username: nameField })

export const nodeSchema: Schema<NodeInfo> = v.object({
	id: nodeIdSchema,
	name: nameField,
	owner: personSchema,
	created_at: timeField,
	connected: v.boolean(),
	connected_at: optional(timeField),
	last_seen_at: optional(timeField),
	offline_reason: optional(v.picklist(['never_connected', 'lost', 'stopped', 'revoked', 'relay_restarting', 'version_too_old'])),
	hostname: optional(textField(255)),
	os: optional(textField(128)),
	agent_version: optional(textField(64)),
	latency_ms: optional(v.number()),
	stats: optional(nodeStatsSchema),
	enrol_token_id: optional(textField(64)),
	links: uintField,
	access: v.picklist(['view', 'use', 'admin']),
})

export const nodesSchema: Schema<NodesAnswer> = v.object({ nodes: list(nodeSchema), stream_offset: textField(256) })

export const nodeEventsSchema: Schema<readonly NodeEvent[]> = list(
	v.variant('type', [
		v.object({ type: v.literal('reset') }),
		v.object({ type: v.literal('node'), node: nodeSchema }),
		v.object({ type: v.literal('node_removed'), id: nodeIdSchema }),
	]),
)

export const streamControlSchema: Schema<StreamControl> = v.object({
	streamNextOffset: textField(256),
	upToDate: optional(v.boolean()),
})

const connectionSchema: Schema<ConnectionInfo> = v.object({
	id: textField(128),
	node_id: nodeIdSchema,
	node_name: nameField,
	user: personSchema,
	client_address: textField(64),
	client_kind: v.picklist(['web', 'cli', 'pat']),
	opened_at: timeField,
	bytes_to_node: uintField,
	bytes_to_client: uintField,
})
export const connectionsSchema: Schema<{ connections: readonly ConnectionInfo[] }> = v.object({
	connections: list(connectionSchema),
})

export const enrolTokenSchema: Schema<EnrolTokenAnswer> = v.object({
	token: textField(4096),
	token_id: textField(64),
	expires_at: timeField,
})

const tokenInfoSchema: Schema<TokenInfo> = v.object({
	id: textField(128),
	name: nameField,
	scopes,
	created_at: timeField,
	expires_at: timeField,
	last_used_at: optional(timeField),
})
export const tokensSchema: Schema<{ tokens: readonly TokenInfo[] }> = v.object({ tokens: list(tokenInfoSchema) })
export const tokenCreatedSchema: Schema<TokenCreated> = v.object({ token: textField(4096), info: tokenInfoSchema })

const accessSessionSchema: Schema<AccessSessionInfo> = v.object({
	id: textField(128),
	kind: v.picklist(['web', 'cli']),
	device_name: textField(256),
	address: textField(64),
	created_at: timeField,
	last_active_at: timeField,
	expires_at: timeField,
	current: v.boolean(),
})
export const accessSessionsSchema: Schema<{ sessions: readonly AccessSessionInfo[] }> = v.object({
	sessions: list(accessSessionSchema),
})

export const statsSchema: Schema<StatsAnswer> = v.object({
	version: textField(64),
	uptime_s: uintField,
	nodes_total: uintField,
	nodes_connected: uintField,
	links_open: uintField,
	bytes_to_nodes: uintField,
	bytes_to_clients: uintField,
	memory_rss: optional(uintField),
})
