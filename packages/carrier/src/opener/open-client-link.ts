import type { Intent, LinkId, LinkReady, Logger, NodeId, ParsedLinkMessage, SessionId } from '@sallyport/protocol'
import { CLOSE, LIMITS, silentLogger } from '@sallyport/protocol'
import type { MessageSocket } from '@sallyport/transport'
import type { Clock } from '../clock.ts'
import type { CryptoDriver } from '../crypto/crypto-driver.ts'
import type { Identity } from '../crypto/identity.ts'
import { LinkDriver } from '../driver/link-driver.ts'
import { LinkError } from '../errors.ts'
import type { ClientLink } from '../link.ts'
import type { MessageReader } from '../message-reader.ts'
import { readMessages } from '../message-reader.ts'
import type { ApproveState } from '../pairing/approve-client.ts'
import { requestApproval } from '../pairing/approve-client.ts'
import type { HandshakeDecision, InitiatedChannel } from '../secure-channel/open-channel.ts'
import { initiateChannel } from '../secure-channel/open-channel.ts'
import { createClientLink } from './client-link.ts'
import { errorFromOpenFault } from './open-errors.ts'

/** What a node may send on after its first message, before this side has turned to it: its windows bound it. */
const NODE_WAITING_BYTES = LIMITS.parkedLinkBytes

/** What the client comes for. */
export type ClientIntent =
	| {
			readonly kind: 'open'
			readonly sessionId: SessionId
			/** A link of this device that this one takes over from, as after a page's reload. */
			readonly replaces?: LinkId
	  }
	| {
			readonly kind: 'pair'
			/** Of a join text or an invite, whose origin it is bound to. */
			readonly secret: { readonly secretId: string; readonly secret: Uint8Array; readonly origin: string }
			readonly deviceName: string
			readonly deviceKind: 'browser' | 'cli'
	  }
	| {
			readonly kind: 'approve'
			readonly deviceName: string
			readonly deviceKind: 'browser' | 'cli'
			readonly onState: (state: ApproveState) => void
			readonly askReturnCode: (isRetry: boolean) => Promise<string>
	  }

export interface OpenClientLinkOptions {
	/** `opened` was said on it: what follows is the handshake. Closed when this fails. */
	readonly socket: MessageSocket
	readonly crypto: CryptoDriver
	readonly identity: Identity
	readonly nodeId: NodeId
	/** The serial of the node's certificate when it was last seen. */
	readonly lastSerial?: number
	readonly intent: ClientIntent
	/** Another socket to the same node, past `opened`: with it the link moves to a fresh connection every hour. */
	readonly redial?: (signal: AbortSignal) => Promise<MessageSocket>
	readonly clock: Clock
	readonly log?: Logger
	readonly signal?: AbortSignal
	/** How long the node may take to answer. @default LIMITS.handshakeMs */
	readonly handshakeMs?: number
}

export interface OpenedClientLink {
	readonly link: ClientLink
	/** The node, proven: pin these. */
	readonly peer: { readonly nodeId: NodeId; readonly identityKey: Uint8Array; readonly serial: number }
}

/**
 * Opens a link as a client: handshake, pairing if that is the intent, and the node's word that it is ready. When it
 * resolves the node is to be trusted.
 *
 * Rejects with `LinkError`: `key_changed`, `handshake_failed`, `session_gone`, `not_paired`, `pairing_failed`, `wrong_code`,
 * `refused`, `timed_out`, `link_ended`, `bad_request`.
 */
export async function openClientLink(options: OpenClientLinkOptions): Promise<OpenedClientLink> {
	const { channel, node, handshakeHash } = await shakeHands(options, handshakeIntent(options.intent), async () =>
		decision(options.intent),
	)
	try {
		const reader = readMessages(channel, NODE_WAITING_BYTES)
		const patience = patienceFor(options)
		if (options.intent.kind === 'approve') {
			const { onState, askReturnCode } = options.intent
			await requestApproval({ reader, crypto: options.crypto, handshakeHash, onState, askReturnCode, signal: patience })
		}
		const ready = await readReady(reader, answerSignal(options))
		const { clock, log = silentLogger } = options
		const { streams, link_window: linkWindowBytes, stream_window: streamWindowBytes } = ready.limits
		const peerLimits = { streams, linkWindowBytes, streamWindowBytes }
		const driver = new LinkDriver({ id: ready.link_id, role: 'client', peerLimits, clock, log })
		const resume = (attempt: number): Promise<void> => move(options, driver, node.serial, attempt)
		const link = createClientLink({ driver, ready, clock, ...(options.redial && { resume }) })
		driver.attach(channel, { early: reader.release() })
		return { link, peer: { nodeId: options.nodeId, identityKey: node.identityKey, serial: node.serial } }
	} catch (error) {
		channel.close(CLOSE.normal.code, CLOSE.normal.name)
		throw error
	}
}

/** Moves a link to a fresh connection. The old one goes on when this fails. Rejects with `LinkError`. */
async function move(options: OpenClientLinkOptions, driver: LinkDriver, lastSerial: number, attempt: number): Promise<void> {
	if (options.redial === undefined) return
	const socket = await options.redial(answerSignal(options))
	let isFrozen = false
	try {
		const { channel } = await shakeHands({ ...options, socket, lastSerial }, 'resume', async () => {
			isFrozen = true
			return { intent: 'resume', features: [], link_id: driver.id, attempt, received: driver.freeze() }
		})
		const reader = readMessages(channel, NODE_WAITING_BYTES)
		const answer = await reader.next(answerSignal(options)).catch((error: unknown) => {
			channel.terminate()
			throw error
		})
		if (answer.op !== 'resumed') {
			channel.close(CLOSE.normal.code, CLOSE.normal.name)
			throw refusal(answer)
		}
		isFrozen = false
		driver.attach(channel, { early: reader.release(), peerReceived: answer.received })
	} finally {
		if (isFrozen) driver.unfreeze()
	}
}

async function shakeHands(
	options: OpenClientLinkOptions,
	intent: Intent,
	decide: () => Promise<HandshakeDecision>,
): Promise<InitiatedChannel> {
	const { socket, crypto, identity, nodeId, lastSerial, clock } = options
	const secret = options.intent.kind === 'pair' && intent === 'pair' ? options.intent.secret : undefined
	const opened = await initiateChannel({
		socket,
		crypto,
		nodeId,
		identity: { linkKey: identity.linkKey, certificate: identity.certificate },
		nowMs: clock.nowMs(),
		signal: answerSignal(options),
		intent,
		...(secret && { secret: { id: secret.secretId, secret: secret.secret, origin: secret.origin } }),
		...(lastSerial !== undefined && { lastSerial }),
		decide,
	})
	if (!opened.ok) throw errorFromOpenFault(opened.error)
	return opened.value
}

function handshakeIntent(intent: ClientIntent): Intent {
	return intent.kind === 'open' ? 'open' : 'pair'
}

function decision(intent: ClientIntent): HandshakeDecision {
	if (intent.kind === 'open') {
		const { sessionId, replaces } = intent
		return { intent: 'open', features: [], session_id: sessionId, ...(replaces && { replaces }) }
	}
	return { intent: 'pair', features: [], device_name: intent.deviceName, device_kind: intent.deviceKind }
}

/** A machine answers soon, or it doesn't. */
function answerSignal(options: OpenClientLinkOptions): AbortSignal {
	const limit = AbortSignal.timeout(options.handshakeMs ?? LIMITS.handshakeMs)
	return options.signal === undefined ? limit : AbortSignal.any([options.signal, limit])
}

/** People take their time; the node ends a request after five minutes, a queue may be before it. */
function patienceFor(options: OpenClientLinkOptions): AbortSignal {
	const limit = AbortSignal.timeout(LIMITS.pairingMs * 12)
	return options.signal === undefined ? limit : AbortSignal.any([options.signal, limit])
}

async function readReady(reader: MessageReader, signal: AbortSignal): Promise<LinkReady> {
	const message = await reader.next(signal)
	if (message.op === 'link_ready') return message
	throw refusal(message)
}

const GONE = {
	unknown: 'the machine does not know this device (any more): pair again',
	expired: 'this device’s permission at the machine has expired: pair again',
	revoked: 'this device was revoked at the machine',
} as const

function refusal(message: ParsedLinkMessage): LinkError {
	switch (message.op) {
		case 'session_gone':
			return new LinkError('session_gone', GONE[message.reason])
		case 'pairing_required':
			return new LinkError('not_paired', 'this device is not paired with the machine')
		case 'link_refused':
			return new LinkError('refused', message.message)
		case 'pair_failed':
			return new LinkError('pairing_failed', `the machine ended the pairing: ${message.reason}`)
		default:
			return new LinkError('bad_request', `the machine began with ${message.op}`)
	}
}
