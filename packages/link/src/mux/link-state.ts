import type { LinkEndCode, LinkMessage, OpenStream, StreamClass, StreamKind } from '@sallyport/protocol'
import { encodeMessage, LIMITS, utf8ToBytes } from '@sallyport/protocol'
import { Acker } from './acker.ts'
import { Deque } from './deque.ts'
import type { LinkMachineEvent } from './events.ts'
import { Pacer } from './pacer.ts'
import { ReceiveWindow } from './receive-window.ts'
import { SendQueue } from './send-queue.ts'
import { SentLog } from './sent-log.ts'

/** Data that one stream may queue before its source has to wait. */
export const STREAM_QUEUE_BYTES: number = 256 * 1024
/** Above this much queued on the whole link, a stream may queue only `CROWDED_STREAM_QUEUE_BYTES`. */
export const LINK_QUEUE_BYTES: number = 4 * 1024 * 1024
export const CROWDED_STREAM_QUEUE_BYTES: number = 16 * 1024
/** Control messages that wait for a peer which acks nothing; beyond it the link ends. */
export const CONTROL_QUEUE_BYTES: number = 4 * 1024 * 1024
const CONTROL_OVERHEAD_BYTES = 64

export type LinkRole = 'client' | 'node'

/** What one side allows the other; `link_ready` carries the node's. */
export interface WindowLimits {
	readonly streams: number
	readonly linkWindowBytes: number
	readonly streamWindowBytes: number
}

export const DEFAULT_WINDOW_LIMITS: WindowLimits = {
	streams: LIMITS.streamsPerLink,
	linkWindowBytes: LIMITS.linkWindowBytes,
	streamWindowBytes: LIMITS.streamWindowBytes,
}

/** Where a stream waits for its turn; see `outbound.ts`. */
export type ReadyList = 'urgent' | 'interactive' | 'bulk'

/** One stream that isn't over, or whose data the application hasn't taken in full. */
export interface MuxStream {
	readonly id: number
	readonly kind: StreamKind
	readonly class: StreamClass
	/** Opened by this side. */
	readonly isLocal: boolean
	/** 1 for `exec`, whose data frames begin with an fd; it counts as data. */
	readonly fdBytes: 0 | 1
	readonly queue: SendQueue
	readonly receive: ReceiveWindow
	/** Data sent, and how far the peer lets it go. */
	sentBytes: number
	sendMaxBytes: number
	isAnswered: boolean
	isEndQueued: boolean
	isEndSent: boolean
	isPeerEnded: boolean
	/** Reset, by either side: what still refers to it skips it. */
	isReset: boolean
	wantsDrained: boolean
	readyIn: ReadyList | undefined
	/** Data sent at interactive priority since the link had acked up to `burstMark`. */
	burstBytes: number
	burstMark: number
}

/**
 * All that a link's two directions share; `link-machine.ts` shows the states.
 */
export interface LinkState {
	readonly role: LinkRole
	readonly local: WindowLimits
	readonly peer: WindowLimits
	phase: 'parked' | 'connected' | 'closing' | 'closed'
	readonly streams: Map<number, MuxStream>
	nextId: number
	highestPeerId: number

	/** Sequenced control frames that wait for nothing but their turn. */
	readonly control: Deque<Uint8Array>
	controlBytes: number
	/** Unsequenced messages of the driver, of this connection alone. */
	readonly driverMessages: Deque<Uint8Array>
	pongTokens: number[]
	readonly dirtyWindows: Set<MuxStream>
	isLinkWindowDirty: boolean

	readonly ready: Readonly<Record<ReadyList, Deque<MuxStream>>>
	/** Whose turn it is between paced interactive streams and bulk. */
	isBulkTurn: boolean
	queuedBytes: number
	sentDataBytes: number
	sendMaxBytes: number

	readonly log: SentLog
	readonly pacer: Pacer
	readonly acker: Acker
	readonly receive: ReceiveWindow
	/** The sizes of all streams' receive windows together. */
	windowBytes: number
	/** Records that arrived while the connection was frozen. */
	frozen: { readonly records: Uint8Array[]; bytes: number } | undefined
	readonly events: Deque<LinkMachineEvent>
}

export function createLinkState(role: LinkRole, local: WindowLimits, peer: WindowLimits): LinkState {
	return {
		role,
		local,
		peer,
		phase: 'parked',
		streams: new Map(),
		nextId: role === 'client' ? 2 : 1,
		highestPeerId: 0,
		control: new Deque(),
		controlBytes: 0,
		driverMessages: new Deque(),
		pongTokens: [],
		dirtyWindows: new Set(),
		isLinkWindowDirty: false,
		ready: { urgent: new Deque(), interactive: new Deque(), bulk: new Deque() },
		isBulkTurn: false,
		queuedBytes: 0,
		sentDataBytes: 0,
		sendMaxBytes: peer.linkWindowBytes,
		log: new SentLog(),
		pacer: new Pacer(),
		acker: new Acker(),
		receive: new ReceiveWindow(local.linkWindowBytes, local.linkWindowBytes, reservedBytes(local)),
		windowBytes: 0,
		frozen: undefined,
		events: new Deque(),
	}
}

/** The part of a link window that bulk leaves to interactive streams; of a lowered window as large a share. */
export function reservedBytes(limits: WindowLimits): number {
	return Math.min(LIMITS.linkReservedBytes, Math.floor(limits.linkWindowBytes / 16))
}

export function streamQueueLimit(state: LinkState): number {
	return state.queuedBytes < LINK_QUEUE_BYTES ? STREAM_QUEUE_BYTES : CROWDED_STREAM_QUEUE_BYTES
}

export function addStream(state: LinkState, open: OpenStream, isLocal: boolean): MuxStream {
	const window = state.local.streamWindowBytes
	const stream: MuxStream = {
		id: open.id,
		kind: open.kind,
		class: open.class,
		isLocal,
		fdBytes: open.kind === 'exec' ? 1 : 0,
		queue: new SendQueue(),
		receive: new ReceiveWindow(window, LIMITS.streamWindowMaxBytes),
		sentBytes: 0,
		sendMaxBytes: state.peer.streamWindowBytes,
		isAnswered: false,
		isEndQueued: false,
		isEndSent: false,
		isPeerEnded: false,
		isReset: false,
		wantsDrained: false,
		readyIn: undefined,
		burstBytes: 0,
		burstMark: 0,
	}
	state.streams.set(open.id, stream)
	state.windowBytes += window
	return stream
}

function removeStream(state: LinkState, stream: MuxStream): void {
	state.streams.delete(stream.id)
	state.dirtyWindows.delete(stream)
	state.windowBytes -= stream.receive.size
}

/** Ends a stream both ways at once: nothing of it is sent or taken any more, and its credit returns. */
export function dropStream(state: LinkState, stream: MuxStream): void {
	stream.isReset = true
	state.queuedBytes -= stream.queue.dataBytes
	stream.queue.clear()
	consumeFromLink(state, stream.receive.unconsumed)
	removeStream(state, stream)
}

/** Called when a side has ended or data was taken: a stream goes once both have ended and all was taken. */
export function forgetIfDone(state: LinkState, stream: MuxStream): void {
	if (stream.isEndSent && stream.isPeerEnded && stream.receive.unconsumed === 0) removeStream(state, stream)
}

/** Called when a side has ended. */
export function closeIfEnded(state: LinkState, stream: MuxStream): void {
	if (!stream.isEndSent || !stream.isPeerEnded) return
	state.events.push({ kind: 'stream_closed', streamId: stream.id })
	forgetIfDone(state, stream)
}

/** The application (or this side itself) has taken data of a stream. */
export function consumeStream(state: LinkState, stream: MuxStream, byteCount: number): void {
	stream.receive.consume(byteCount)
	consumeFromLink(state, byteCount)
	if (stream.isPeerEnded) forgetIfDone(state, stream)
	else if (stream.receive.isGrantDue) state.dirtyWindows.add(stream)
}

/** Counts data against the link's window; false if it exceeds it. */
export function receiveOnLink(state: LinkState, byteCount: number): boolean {
	if (!state.receive.receive(byteCount)) return false
	if (state.receive.isGrantDue) state.isLinkWindowDirty = true
	return true
}

export function consumeFromLink(state: LinkState, byteCount: number): void {
	state.receive.consume(byteCount)
	if (state.receive.isGrantDue) state.isLinkWindowDirty = true
}

/** Queues a sequenced message behind those that are queued, before any data. */
export function queueControl(state: LinkState, message: LinkMessage): void {
	queueEncoded(state, encodeControl(message))
}

export function queueEncoded(state: LinkState, json: Uint8Array): void {
	state.control.push(json)
	state.controlBytes += json.length + CONTROL_OVERHEAD_BYTES
}

export function takeControl(state: LinkState): Uint8Array | undefined {
	const json = state.control.shift()
	if (json !== undefined) state.controlBytes -= json.length + CONTROL_OVERHEAD_BYTES
	return json
}

/** Ends the link on this side; with `farewell`, one last record tells the peer. */
export function endLink(
	state: LinkState,
	by: 'local' | 'peer' | 'fault',
	reason: { readonly code: LinkEndCode; readonly message?: string | undefined },
): void {
	const canSay = by !== 'peer' && state.phase === 'connected'
	if (by !== 'local') {
		state.control.clear()
		state.controlBytes = 0
	}
	if (canSay) {
		const message = reason.message === undefined ? {} : { message: reason.message.slice(0, 512) }
		queueControl(state, { op: 'close_link', code: reason.code, ...message })
	}
	state.phase = canSay ? 'closing' : 'closed'
	state.frozen = undefined
	state.events.push({ kind: 'link_closed', by, code: reason.code, message: reason.message })
}

export function isOwnId(state: LinkState, id: number): boolean {
	return id % 2 === (state.role === 'client' ? 0 : 1)
}

/** An id that some stream or request has had; what still arrives for it came too late. */
export function isUsedId(state: LinkState, id: number): boolean {
	return isOwnId(state, id) ? id < state.nextId : id <= state.highestPeerId
}

/** JSON of a control frame; too large is the caller's mistake, since every field has its limit. */
export function encodeControl(message: LinkMessage): Uint8Array {
	const json = utf8ToBytes(encodeMessage(message))
	if (json.length > LIMITS.controlFrameBytes)
		throw new RangeError(`message ${message.op} of ${json.length} bytes exceeds ${LIMITS.controlFrameBytes}`)
	return json
}
