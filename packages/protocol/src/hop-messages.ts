/**
 * Messages of the hops, JSON text, one object each, `op` first. `docs/protocol.md` section "The hop" is normative.
 *
 * Client socket: `auth_required` <- , `hello` ->, `hello_ok` <-, `open` ->, `opened` | `refused` <-, then binary records.
 * Agent control socket: `auth_required` <-, `hello` ->, `hello_ok` <-, then `heartbeat` ->, `dial` <-, `dial_failed` ->, …
 * Agent link socket: `auth_required` <-, `hello {link_ticket}` ->, `opened` <-, then binary records.
 */
import * as v from 'valibot'
import { bytesField, nameField, textField, timeField, uintField } from './fields.ts'
import { nodeIdSchema, relayIdSchema, sessionIdSchema, userIdSchema } from './ids.ts'
import { messageOp, parseJson, parseWith } from './json.ts'
import { LIMITS } from './limits.ts'
import type { Result } from './result.ts'
import { fault } from './result.ts'

export const PROTOCOL_VERSION = 1
export const PROTOCOL_VERSIONS: readonly number[] = [1]

const versions = v.pipe(v.array(uintField), v.minLength(1), v.maxLength(16))
const token = v.pipe(v.string(), v.minLength(8), v.maxLength(4096))
const userClaim = v.object({ id: userIdSchema, name: nameField })

const authRequired = v.object({
	op: v.literal('auth_required'),
	/** Exactly one of the two is there: who speaks. On a direct endpoint `node_id` is a claim until the handshake. */
	relay_id: v.exactOptional(relayIdSchema),
	node_id: v.exactOptional(nodeIdSchema),
	challenge: bytesField({ length: 32 }),
	transport: v.literal('websocket'),
	versions,
})

const openTarget = v.object({ node_id: nodeIdSchema })

/** Exactly one of the credentials is there; on a direct endpoint none is. */
const clientHello = v.object({
	op: v.literal('hello'),
	version: v.optional(uintField, 1),
	token: v.exactOptional(token),
	page_ticket: v.exactOptional(token),
	device_session: v.exactOptional(
		v.object({ session_id: sessionIdSchema, node_id: nodeIdSchema, proof: bytesField({ length: 64 }) }),
	),
	resume: v.exactOptional(v.object({ session_id: sessionIdSchema, proof: bytesField({ length: 64 }) })),
	open: v.exactOptional(openTarget),
})
const clientHelloOk = v.object({ op: v.literal('hello_ok'), version: uintField, user: v.exactOptional(userClaim) })
const open = v.object({ op: v.literal('open'), node_id: nodeIdSchema })
/** From here on both directions carry binary records alone. */
const opened = v.object({ op: v.literal('opened') })
/** `code` is a name of `CLOSE`; the socket closes with its number next. */
const refused = v.object({
	op: v.literal('refused'),
	code: textField(64),
	reason: textField(512),
	retry_after_ms: v.exactOptional(uintField),
})

const stats = v.object({
	cpus: uintField,
	load1: v.number(),
	load5: v.number(),
	load15: v.number(),
	memory_total: uintField,
	memory_used: uintField,
	disk_total: uintField,
	disk_used: uintField,
	uptime_s: uintField,
	processes: v.exactOptional(uintField),
})

const nodeHello = v.object({
	op: v.literal('hello'),
	version: v.optional(uintField, 1),
	node_id: nodeIdSchema,
	/** Ed25519 over `signingInput('node_auth', …)`. */
	signature: bytesField({ length: 64 }),
	hostname: textField(255),
	os: textField(128),
	agent_version: textField(64),
})
const nodeHelloOk = v.object({
	op: v.literal('hello_ok'),
	version: uintField,
	name: nameField,
	owner: v.exactOptional(userClaim),
	/** Origins from which this relay may ask the agent to dial back. */
	origins: v.pipe(v.array(textField(512)), v.maxLength(64)),
	/** The address the relay sees the agent come from. */
	address: textField(64),
})
const heartbeat = v.object({ op: v.literal('heartbeat'), stats, latency_ms: v.exactOptional(v.number()) })
const dial = v.object({
	op: v.literal('dial'),
	link_ticket: token,
	origin: textField(512),
	user: userClaim,
	client_address: textField(64),
	expires: timeField,
})
/** The agent could not or would not dial; `ticket_id` is the ticket's public id. */
const dialFailed = v.object({ op: v.literal('dial_failed'), ticket_id: textField(64), reason: textField(256) })
/** The relay asks the node to cut a user or device and bar it until the node's own side lifts it. */
const suspend = v.object({
	op: v.literal('suspend'),
	user_id: v.exactOptional(userIdSchema),
	session_id: v.exactOptional(sessionIdSchema),
})
const sessionVerifyRequest = v.object({
	op: v.literal('session_verify_request'),
	request_id: textField(64),
	nonce: bytesField({ length: 32 }),
	session_id: sessionIdSchema,
})
const sessionVerifyResponse = v.object({
	op: v.literal('session_verify_response'),
	request_id: textField(64),
	nonce: bytesField({ length: 32 }),
	session_id: sessionIdSchema,
	verdict: v.picklist(['valid', 'invalid', 'unknown']),
	admission_key: v.exactOptional(bytesField({ length: 32 })),
	user: v.exactOptional(textField(128)),
	not_after: v.exactOptional(timeField),
	epoch: uintField,
	signature: bytesField({ length: 64 }),
})
const sessionRevoked = v.object({
	op: v.literal('session_revoked'),
	session_id: v.union([sessionIdSchema, v.literal('all')]),
	epoch: uintField,
	signature: bytesField({ length: 64 }),
})
const linkClosed = v.object({ op: v.literal('link_closed'), code: textField(64) })
/** The node is about to stop: until it is back it is `stopped`, not `lost`. */
const stopping = v.object({ op: v.literal('stopping') })

const linkHello = v.object({ op: v.literal('hello'), version: v.optional(uintField, 1), link_ticket: token })

const fromRelayToClient = { auth_required: authRequired, hello_ok: clientHelloOk, opened, refused }
const fromClient = { hello: clientHello, open }
const fromRelayToNode = {
	auth_required: authRequired,
	hello_ok: nodeHelloOk,
	refused,
	dial,
	suspend,
	session_verify_request: sessionVerifyRequest,
}
const fromNode = {
	hello: nodeHello,
	heartbeat,
	dial_failed: dialFailed,
	session_verify_response: sessionVerifyResponse,
	session_revoked: sessionRevoked,
	link_closed: linkClosed,
	stopping,
}
const fromRelayToLink = { auth_required: authRequired, opened, refused }
const fromLink = { hello: linkHello }

type MessagesOf<T extends Record<string, v.GenericSchema>> = { [K in keyof T]: v.InferOutput<T[K]> }[keyof T]

/** What a relay (or an agent's own listener) says to a client. */
export type ServerMessage = MessagesOf<typeof fromRelayToClient>
/** What a client says to a relay or to an agent's own listener. */
export type ClientMessage = MessagesOf<typeof fromClient>
/** What a relay says on an agent's control socket. */
export type NodeBoundMessage = MessagesOf<typeof fromRelayToNode>
/** What an agent says on its control socket. */
export type NodeMessage = MessagesOf<typeof fromNode>
/** What a relay says on a dial-back socket. */
export type LinkBoundMessage = MessagesOf<typeof fromRelayToLink>
/** What an agent says on a dial-back socket. */
export type LinkSocketMessage = MessagesOf<typeof fromLink>
export type AuthRequired = v.InferOutput<typeof authRequired>
export type ClientHello = v.InferOutput<typeof clientHello>
export type NodeHello = v.InferOutput<typeof nodeHello>
export type NodeHelloOk = v.InferOutput<typeof nodeHelloOk>
export type DialRequest = v.InferOutput<typeof dial>

/** The JSON form of a hop message: byte fields become base64url text. Use `encodeMessage` to make it. */
export type HopMessage = ServerMessage | ClientMessage | NodeBoundMessage | NodeMessage | LinkBoundMessage | LinkSocketMessage

export const parseServerMessage = (text: string | Uint8Array): Result<ServerMessage> =>
	parseOp(fromRelayToClient, text, LIMITS.hopMessageBytes)
export const parseClientMessage = (text: string | Uint8Array): Result<ClientMessage> =>
	parseOp(fromClient, text, LIMITS.hopMessageBytes)
export const parseNodeBoundMessage = (text: string | Uint8Array): Result<NodeBoundMessage> =>
	parseOp(fromRelayToNode, text, LIMITS.nodeControlMessageBytes)
export const parseNodeMessage = (text: string | Uint8Array): Result<NodeMessage> =>
	parseOp(fromNode, text, LIMITS.nodeControlMessageBytes)
export const parseLinkBoundMessage = (text: string | Uint8Array): Result<LinkBoundMessage> =>
	parseOp(fromRelayToLink, text, LIMITS.hopMessageBytes)
export const parseLinkSocketMessage = (text: string | Uint8Array): Result<LinkSocketMessage> =>
	parseOp(fromLink, text, LIMITS.hopMessageBytes)

function parseOp<T extends Record<string, v.GenericSchema>>(
	schemas: T,
	text: string | Uint8Array,
	maxBytes: number,
): Result<MessagesOf<T>> {
	const json = parseJson(text, maxBytes)
	if (!json.ok) return json
	const op = messageOp(json.value)
	if (op === undefined) return fault('MESSAGE_INVALID', 'message has no op')
	const schema = Object.hasOwn(schemas, op) ? schemas[op] : undefined
	// The sender chose these characters, and logs and terminals will show them: JSON alone lets C1 controls through.
	if (schema === undefined)
		return fault('OP_UNKNOWN', `op ${JSON.stringify(op.slice(0, 32).replace(/[^ -~]/g, '?'))} is not known here`)
	// Safe: the schema found under this op has this output type.
	return parseWith(schema as v.GenericSchema<unknown, MessagesOf<T>>, json.value)
}
