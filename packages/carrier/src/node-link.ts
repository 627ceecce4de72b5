import type { LinkAnswer, LinkNotice, LinkRequest } from '@sallyport/link'
import type {
	DeviceId,
	DeviceSessionInfo,
	Endpoint,
	HandshakePayload3,
	LinkEndCode,
	NodeId,
	OpenStream,
	SessionId,
	TerminalId,
} from '@sallyport/protocol'
import type { Link } from './link.ts'
import type { LinkStream } from './link-stream.ts'

/** What the hop says of who knocks: claims of the relay (or of a direct socket), shown and logged, never trusted. */
export interface KnockContext {
	readonly via: 'relay' | 'direct'
	/** The relay's origin, or the listener's: pairing secrets are bound to it. */
	readonly origin: string
	readonly user: string
	readonly address: string
}

/** A device whose keys the handshake has proven. */
export interface ProvenDevice {
	readonly deviceId: DeviceId
	readonly identityKey: Uint8Array
	readonly certificateSerial: number
	readonly context: KnockContext
}

/** Door two's answer to a proven device. */
export type Admission =
	| { readonly kind: 'session'; readonly session: DeviceSessionInfo }
	| { readonly kind: 'gone'; readonly reason: 'unknown' | 'expired' | 'revoked' }
	| { readonly kind: 'refused'; readonly code: LinkEndCode; readonly message: string }

export interface PairingWait {
	/** The person typed the right digits at the node or on a paired device. */
	readonly outcome: Promise<
		{ readonly kind: 'approved'; readonly session: DeviceSessionInfo } | { readonly kind: 'failed'; readonly reason: PairFailure }
	>
	/**
	 * The device went away or confirmed: the request is over. Resolves with whether the session stands, on disk: not when
	 * the confirmation came too late or the session was revoked meanwhile.
	 */
	end(outcome: 'confirmed' | 'closed'): Promise<boolean>
}
export type PairFailure = 'wrong_code' | 'burned' | 'expired' | 'denied' | 'limit' | 'closed'

/** Door two, as the agent implements it. Every method may take its time; none may throw for what a peer sent. */
export interface NodeGate {
	/** The pairing secret under this id, while it may still be used; the psk is derived from it and `context.origin`. */
	pairingSecret(secretId: string, context: KnockContext): Promise<Uint8Array | undefined>
	/** The serial of the device's certificate when it was last seen, if it was: an older one is refused. */
	lastSerial(deviceId: DeviceId): Promise<number | undefined>
	/** Intent `open` (also for a resume, to check that the session still lives). */
	admit(device: ProvenDevice, sessionId: SessionId | undefined): Promise<Admission>
	/** Intent `pair` by secret, already proven by the psk: binds the secret to this device, by fsync, and makes the session. */
	pairBySecret(
		device: ProvenDevice,
		secretId: string,
		request: Extract<HandshakePayload3, { intent: 'pair' }>,
	): Promise<Admission>
	/**
	 * Intent `pair` by approve code: waits for its turn (`onQueued` tells the position), one request at a time.
	 * Refuses at once with a failure when the limit is reached. When `signal` aborts before `awaitApproval` was called, the
	 * device has gone: its place in the queue, or its turn, goes to the next.
	 */
	enterPairing(
		device: ProvenDevice,
		request: Extract<HandshakePayload3, { intent: 'pair' }>,
		onQueued: (position: number) => void,
		signal: AbortSignal,
	): Promise<
		| { readonly kind: 'turn'; readonly nonce: Uint8Array; readonly expiresAtMs: number }
		| { readonly kind: 'failed'; readonly reason: PairFailure }
	>
	/** Its turn came and both nonces are known: puts the codes up for comparison. The node never shows its own digits. */
	awaitApproval(device: ProvenDevice, codes: { readonly digits: string; readonly returnCode: string }): PairingWait
	/** A link opened: streams and requests come to the handlers that this returns. */
	linkOpened(link: NodeLink): NodeLinkHandlers
}

export interface NodeLinkHandlers {
	/** Capability and policy are checked here, for every stream. Answer by `accept` or `stream.reset`. */
	readonly onStream: (inbound: InboundStream) => void
	/** A request of the device (`list_terminals`, `revoke_session`, …); answer with `link.answer`. */
	readonly onRequest: (message: LinkRequest) => void
}

export interface InboundStream {
	readonly stream: LinkStream
	readonly request: OpenStream
	accept(fields?: { readonly terminal_id?: TerminalId; readonly name?: string }): void
}

/** The node's end of a link. */
export interface NodeLink extends Link {
	readonly device: ProvenDevice
	readonly session: DeviceSessionInfo
	readonly openedAtMs: number
	/** Sends an answer or a notice. */
	send(message: LinkAnswer | LinkNotice): void
}

/** What the node says of itself in `link_ready`. */
export interface NodeDescription {
	readonly nodeId: NodeId
	readonly name: string
	readonly hostname: string
	readonly os: string
	readonly agentVersion: string
	readonly endpoints: readonly Endpoint[]
}
