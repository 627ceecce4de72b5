/**
 * Messages inside a link: JSON in control frames, `op` first, 16 KiB. Unknown fields are ignored. An unknown op with an
 * `id` is answered by `unsupported`, without one it is ignored.
 *
 * Connection messages are unsequenced and never replayed. Everything else is sequenced: counted, acked, replayed.
 *
 * A stream's `id` is even for the client, from 2, and odd for the node, from 1, and never used twice on a link.
 * Requests share that number space with streams, each side's own, and are answered by a message with the same `id`.
 */
import * as v from 'valibot'
import { LINK_END_CODES, RESET_CODES } from './codes.ts'
import { bytesField, colsField, nameField, portField, rowsField, textField, timeField, uintField } from './fields.ts'
import { deviceIdSchema, linkIdSchema, nodeIdSchema, sessionIdSchema, terminalIdSchema } from './ids.ts'
import { messageOp, parseJson, parseWith } from './json.ts'
import { LIMITS } from './limits.ts'
import type { Result } from './result.ts'
import { fault } from './result.ts'

export const CAPABILITIES = ['shell', 'exec', 'files', 'forward', 'record', 'approve'] as const
export type Capability = (typeof CAPABILITIES)[number]
export const capabilitiesField = v.pipe(v.array(v.picklist(CAPABILITIES)), v.maxLength(CAPABILITIES.length))

const id = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 32 - 1))
const op = <const T extends string>(name: T) => v.literal(name)
const sessionInfo = v.object({
	session_id: sessionIdSchema,
	device_id: deviceIdSchema,
	device_name: nameField,
	/** As the relay named them: a claim. `local` when paired without a relay. */
	user: nameField,
	capabilities: capabilitiesField,
	created_at: timeField,
	last_seen_at: timeField,
	idle_expires_at: timeField,
	absolute_expires_at: timeField,
	/** How it was paired. */
	paired_by: v.picklist(['join', 'invite', 'approve', 'endorsement']),
	address: textField(64),
	/** A link of it is open now. */
	connected: v.boolean(),
	current: v.boolean(),
})
export type DeviceSessionInfo = v.InferOutput<typeof sessionInfo>

const terminalInfo = v.object({
	terminal_id: terminalIdSchema,
	name: nameField,
	kind: v.picklist(['shell', 'ssh']),
	created_at: timeField,
	cols: colsField,
	rows: rowsField,
	attached: uintField,
})
export type TerminalInfo = v.InferOutput<typeof terminalInfo>

const endpoint = v.object({ kind: v.picklist(['relay', 'lan', 'vpn', 'loopback']), url: textField(512) })
export type Endpoint = v.InferOutput<typeof endpoint>

// ---- connection messages: unsequenced

/** The node's first record on a connection that opened a new link. */
const linkReady = v.object({
	op: op('link_ready'),
	link_id: linkIdSchema,
	limits: v.object({ streams: uintField, link_window: uintField, stream_window: uintField }),
	session: sessionInfo,
	node: v.object({
		node_id: nodeIdSchema,
		name: nameField,
		hostname: textField(255),
		os: textField(128),
		agent_version: textField(64),
	}),
	endpoints: v.pipe(v.array(endpoint), v.maxLength(16)),
})
export type LinkReady = v.InferOutput<typeof linkReady>
/** The node's first record on a connection that resumed a link: replay goes on from the peer's `received`. */
const resumed = v.object({ op: op('resumed'), received: uintField })
/** Only this, inside a link, makes a client drop a device session. */
const sessionGone = v.object({ op: op('session_gone'), reason: v.picklist(['unknown', 'expired', 'revoked']) })
/** The device has no session here; pairing by approve code may follow when the client asked for it (`intent` `pair`). */
const pairingRequired = v.object({ op: op('pairing_required') })
/** The link can't go on: said before any close. */
const linkRefused = v.object({ op: op('link_refused'), code: v.picklist(LINK_END_CODES), message: textField(512) })

// Approve code: order commit -> (queued) nonce <- reveal -> waiting <- approved | failed <- confirm -> link_ready <-
const pairCommit = v.object({ op: op('pair_commit'), commit: bytesField({ length: 32 }) })
/** Another request is before this one: wait. */
const pairQueued = v.object({ op: op('pair_queued'), position: uintField })
const pairNonce = v.object({ op: op('pair_nonce'), nonce: bytesField({ length: 32 }), expires: timeField })
const pairReveal = v.object({ op: op('pair_reveal'), nonce: bytesField({ length: 32 }) })
/** The right digits were typed at the node: the person now carries the return code back. */
const pairApproved = v.object({ op: op('pair_approved') })
const pairFailed = v.object({
	op: op('pair_failed'),
	reason: v.picklist(['wrong_code', 'burned', 'expired', 'denied', 'limit', 'closed']),
})
/** The return code matched at the client, which now pins the node. */
const pairConfirm = v.object({ op: op('pair_confirm') })

/** Bytes of sequenced frames received so far. */
const ack = v.object({ op: op('ack'), received: uintField })
/** The peer may send up to this absolute offset: on a stream, or with `id` 0 on the link. */
const window = v.object({
	op: op('window'),
	id: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 32 - 1)),
	max: uintField,
})
const ping = v.object({ op: op('ping'), token: uintField })
const pong = v.object({ op: op('pong'), token: uintField })

// ---- streams

const size = { cols: colsField, rows: rowsField }
const openShell = v.object({
	op: op('open_stream'),
	id,
	kind: op('shell'),
	class: op('interactive'),
	...size,
	term: v.exactOptional(textField(64)),
	name: v.exactOptional(nameField),
})
const openAttach = v.object({
	op: op('open_stream'),
	id,
	kind: op('attach'),
	class: op('interactive'),
	...size,
	terminal_id: terminalIdSchema,
})
const openSsh = v.object({
	op: op('open_stream'),
	id,
	kind: op('ssh'),
	class: op('interactive'),
	...size,
	term: v.exactOptional(textField(64)),
	/** By default the node's own sshd, as its settings say. */
	host: v.exactOptional(textField(255)),
	port: v.exactOptional(portField),
	user: v.exactOptional(textField(128)),
})
const openExec = v.object({
	op: op('open_stream'),
	id,
	kind: op('exec'),
	class: v.picklist(['interactive', 'bulk']),
	/** Run as given, by no shell. */
	argv: v.pipe(v.array(textField(8192)), v.minLength(1), v.maxLength(256)),
	cwd: v.exactOptional(textField(4096)),
	env: v.exactOptional(v.record(textField(128), textField(4096))),
})
const openTcp = v.object({
	op: op('open_stream'),
	id,
	kind: op('tcp'),
	class: v.picklist(['interactive', 'bulk']),
	/** Without a host: the node's own sshd, as its settings say. */
	host: v.exactOptional(textField(255)),
	port: v.exactOptional(portField),
})
const openStream = v.variant('kind', [openShell, openAttach, openSsh, openExec, openTcp])
export type OpenStream = v.InferOutput<typeof openStream>
export type StreamKind = OpenStream['kind']
const STREAM_KINDS: ReadonlySet<string> = new Set(openStream.options.map((option) => option.entries.kind.literal))
export type StreamClass = OpenStream['class']

const streamOpened = v.object({
	op: op('stream_opened'),
	id,
	terminal_id: v.exactOptional(terminalIdSchema),
	name: v.exactOptional(nameField),
})
/** Half close: no data follows on this stream from this side. */
const streamEnd = v.object({ op: op('stream_end'), id })
/** Ends both ways at once; also the answer to an `open_stream` that was refused. */
const streamReset = v.object({
	op: op('stream_reset'),
	id,
	code: v.picklist(RESET_CODES),
	message: v.exactOptional(textField(1024)),
})
const resize = v.object({ op: op('resize'), id, ...size })
const signal = v.object({ op: op('signal'), id, signal: v.pipe(v.string(), v.regex(/^[A-Z0-9]{2,10}$/)) })
/** Comes before the node's `stream_end`. `signal` without the SIG prefix. */
const exit = v.object({ op: op('exit'), id, status: v.exactOptional(uintField), signal: v.exactOptional(textField(16)) })

const loginPrompt = v.object({
	op: op('login_prompt'),
	id,
	prompt_id: uintField,
	kind: v.picklist(['username', 'password', 'keyboard_interactive', 'passphrase']),
	/** Said first: why this is asked again. */
	error: v.exactOptional(textField(512)),
	title: v.exactOptional(textField(512)),
	instructions: v.exactOptional(textField(2048)),
	prompts: v.pipe(v.array(v.object({ text: textField(512), echo: v.boolean() })), v.maxLength(16)),
	/** Ways the server still takes, so that the person may choose a key instead of a password. */
	methods: v.pipe(v.array(v.picklist(['password', 'keyboard_interactive', 'public_key'])), v.maxLength(3)),
})
export type LoginPrompt = v.InferOutput<typeof loginPrompt>
/** One answer for each prompt, or a private key in OpenSSH or PEM form instead. */
const loginAnswer = v.object({
	op: op('login_answer'),
	id,
	prompt_id: uintField,
	answers: v.exactOptional(v.pipe(v.array(textField(4096)), v.maxLength(16))),
	private_key: v.exactOptional(v.object({ key: textField(12_288), passphrase: v.exactOptional(textField(1024)) })),
})
/** Told once, before any login: `changed` is followed by `stream_reset` `host_key_changed`. */
const hostKey = v.object({
	op: op('host_key'),
	id,
	host: textField(255),
	port: portField,
	key_type: textField(64),
	/** `SHA256:…` as OpenSSH shows it. */
	fingerprint: textField(128),
	state: v.picklist(['new', 'known', 'changed']),
	pinned_fingerprint: v.exactOptional(textField(128)),
})
export type HostKeyNotice = v.InferOutput<typeof hostKey>

// ---- requests and notices

const listTerminals = v.object({ op: op('list_terminals'), id })
const terminals = v.object({
	op: op('terminals'),
	id,
	terminals: v.pipe(v.array(terminalInfo), v.maxLength(LIMITS.terminalsPerNode)),
})
const endTerminal = v.object({ op: op('end_terminal'), id, terminal_id: terminalIdSchema })
const renameTerminal = v.object({ op: op('rename_terminal'), id, terminal_id: terminalIdSchema, name: nameField })
const listSessions = v.object({ op: op('list_sessions'), id })
const sessions = v.object({ op: op('sessions'), id, sessions: v.pipe(v.array(sessionInfo), v.maxLength(64)) })
/** Another's session needs `approve`; one's own ends the link too. */
const revokeSession = v.object({ op: op('revoke_session'), id, session_id: sessionIdSchema })
const approvePairing = v.object({
	op: op('approve_pairing'),
	id,
	request_id: textField(64),
	digits: v.pipe(v.string(), v.regex(/^\d{6}$/)),
})
const denyPairing = v.object({ op: op('deny_pairing'), id, request_id: textField(64) })
/** Answer to a right `approve_pairing`: the person types this at the new device. */
const pairingApproved = v.object({ op: op('pairing_approved'), id, return_code: v.pipe(v.string(), v.regex(/^\d{4}$/)) })
const done = v.object({ op: op('done'), id })
const failed = v.object({
	op: op('failed'),
	id,
	code: v.picklist([
		'not_found',
		'capability_missing',
		'wrong_code',
		'burned',
		'expired',
		'limit_reached',
		'bad_request',
		'internal',
	]),
	message: textField(512),
})
const unsupported = v.object({ op: op('unsupported'), id, what: textField(64) })

/** To devices that hold `approve`: someone asks to be let in. */
const pairingRequest = v.object({
	op: op('pairing_request'),
	request_id: textField(64),
	device_name: nameField,
	device_kind: v.picklist(['browser', 'cli']),
	user: nameField,
	address: textField(64),
	fingerprint: textField(64),
	expires: timeField,
})
export type PairingRequest = v.InferOutput<typeof pairingRequest>
const pairingEnded = v.object({
	op: op('pairing_ended'),
	request_id: textField(64),
	outcome: v.picklist(['paired', 'denied', 'expired', 'burned', 'closed']),
})
/** To every device of the node, always: a pairing was made. */
const devicePaired = v.object({ op: op('device_paired'), session: sessionInfo })
const terminalsChanged = v.object({ op: op('terminals_changed') })
const closeLink = v.object({ op: op('close_link'), code: v.picklist(LINK_END_CODES), message: v.exactOptional(textField(512)) })

const connectionMessages = {
	link_ready: linkReady,
	resumed,
	session_gone: sessionGone,
	pairing_required: pairingRequired,
	link_refused: linkRefused,
	pair_commit: pairCommit,
	pair_queued: pairQueued,
	pair_nonce: pairNonce,
	pair_reveal: pairReveal,
	pair_approved: pairApproved,
	pair_failed: pairFailed,
	pair_confirm: pairConfirm,
	ack,
	window,
	ping,
	pong,
}
const streamMessages = {
	open_stream: openStream,
	stream_opened: streamOpened,
	stream_end: streamEnd,
	stream_reset: streamReset,
	resize,
	signal,
	exit,
	login_prompt: loginPrompt,
	login_answer: loginAnswer,
	host_key: hostKey,
}
const linkLevelMessages = {
	list_terminals: listTerminals,
	terminals,
	end_terminal: endTerminal,
	rename_terminal: renameTerminal,
	list_sessions: listSessions,
	sessions,
	revoke_session: revokeSession,
	approve_pairing: approvePairing,
	deny_pairing: denyPairing,
	pairing_approved: pairingApproved,
	done,
	failed,
	unsupported,
	pairing_request: pairingRequest,
	pairing_ended: pairingEnded,
	device_paired: devicePaired,
	terminals_changed: terminalsChanged,
	close_link: closeLink,
}
const allMessages = { ...connectionMessages, ...streamMessages, ...linkLevelMessages }

type MessagesOf<T extends Record<string, v.GenericSchema>> = { [K in keyof T]: v.InferOutput<T[K]> }[keyof T]
/** Unsequenced: of this connection alone. */
export type ConnectionMessage = MessagesOf<typeof connectionMessages>
/** Sequenced, about one stream: `id` is the stream's. */
export type StreamMessage = MessagesOf<typeof streamMessages>
/** Sequenced, about the link: requests, answers, notices. */
export type LinkLevelMessage = MessagesOf<typeof linkLevelMessages>
export type LinkMessage = ConnectionMessage | StreamMessage | LinkLevelMessage

export const UNSEQUENCED_OPS: ReadonlySet<string> = new Set(Object.keys(connectionMessages))
export const STREAM_OPS: ReadonlySet<string> = new Set(Object.keys(streamMessages))

export function isConnectionMessage(message: LinkMessage): message is ConnectionMessage {
	return Object.hasOwn(connectionMessages, message.op)
}

export function isStreamMessage(message: LinkMessage): message is StreamMessage {
	return Object.hasOwn(streamMessages, message.op)
}

/**
 * What a control frame held: a message, or an op that this version doesn't know, with its `id` if it has one. An
 * `open_stream` of a kind that this version doesn't know counts as one.
 */
export type ParsedLinkMessage = LinkMessage | { readonly op: 'unknown'; readonly name: string; readonly id?: number }

export function parseLinkMessage(json: Uint8Array): Result<ParsedLinkMessage> {
	const value = parseJson(json, LIMITS.controlFrameBytes)
	if (!value.ok) return value
	const name = messageOp(value.value)
	if (name === undefined) return fault('MESSAGE_INVALID', 'message has no op')
	if (!Object.hasOwn(allMessages, name) || (name === 'open_stream' && hasUnknownKind(value.value))) {
		const known = v.safeParse(v.object({ id }), value.value)
		return {
			ok: true,
			value: known.success
				? { op: 'unknown', name: name.slice(0, 64), id: known.output.id }
				: { op: 'unknown', name: name.slice(0, 64) },
		}
	}
	// Safe: `name` is an own key of the table, and the schema found under it has a link message as output.
	return parseWith(allMessages[name as keyof typeof allMessages] as v.GenericSchema<unknown, LinkMessage>, value.value)
}

function hasUnknownKind(value: unknown): boolean {
	const opened = v.safeParse(v.object({ kind: v.string() }), value)
	return opened.success && !STREAM_KINDS.has(opened.output.kind)
}
