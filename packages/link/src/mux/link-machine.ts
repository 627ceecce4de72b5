import type { LinkEndCode, LinkMessage, ResetCode } from '@sallyport/protocol'
import { LIMITS } from '@sallyport/protocol'
import { relist } from './data-scheduler.ts'
import type {
	DriverMessage,
	LinkAnswer,
	LinkMachineEvent,
	LinkNotice,
	LinkRequestBody,
	OpenStreamRequest,
	StreamNoticeBody,
	StreamOpened,
} from './events.ts'
import type { LinkResult } from './fault.ts'
import { DONE, linkFault } from './fault.ts'
import { receiveFrames } from './inbound.ts'
import type { LinkRole, LinkState, MuxStream, WindowLimits } from './link-state.ts'
import {
	addStream,
	consumeStream,
	createLinkState,
	DEFAULT_WINDOW_LIMITS,
	dropStream,
	encodeControl,
	endLink,
	queueControl,
	queueEncoded,
	streamQueueLimit,
} from './link-state.ts'
import { composeRecord } from './outbound.ts'

export interface LinkMachineOptions {
	readonly role: LinkRole
	/** What this side allows. @default the protocol's limits */
	readonly local?: WindowLimits
	/** What the peer allows: for a client the `limits` of `link_ready`. @default the protocol's limits */
	readonly peer?: WindowLimits
}

export interface LinkStats {
	/** Smoothed round trip; undefined until the first pong. */
	readonly rttMs: number | undefined
	readonly lowestRttMs: number
	readonly bandwidthBytesPerMs: number
	/** Sequenced bytes sent on this connection that the peer hasn't acked. */
	readonly bytesInFlight: number
	readonly maxBytesInFlight: number
	/** Sequenced bytes kept for replay, and the memory they take. */
	readonly unackedBytes: number
	readonly retainedBytes: number
	/** Data that streams have queued. */
	readonly queuedBytes: number
	/** Data delivered and not consumed yet. */
	readonly unconsumedBytes: number
	/** Sequenced bytes in all. */
	readonly sentBytes: number
	readonly receivedBytes: number
	readonly streams: number
}

/**
 * One end of a link's multiplexer: streams, flow control, acks, pacing and resume, without I/O. Both ends run this
 * code. It knows no sockets, keys or timers: a driver (`@sallyport/carrier`) opens and seals records and brings the time.
 *
 * ```
 *             connectionUp                    closeLink, fault
 *   parked -----------------> connected ------------------------> closing
 *     ^                         |   |                                | farewell polled,
 *     '------ connectionLost ---'   | close_link from the peer       | or connectionLost
 *     |                             v                                v
 *     '------ closeLink ---------> closed <--------------------------'
 * ```
 * A stream: *open* → each side sends `stream_end` → *closed*; `stream_reset` by either side → gone at once.
 *
 * **Driving it.** After each command or input: send all that `pollRecord(now)` gives, as long as the socket takes it (stop at
 * a small buffered amount: pacing can't see bytes that wait in the socket); handle all that `pollEvent()` gives; set one
 * timer to `nextTimeoutMs()`, at which `pollRecord` is called again. The order of these three doesn't matter. `nowMs` is a
 * monotonic clock with fractions (`performance.now()`).
 *
 * **Memory.** Kept for replay: at most `LIMITS.parkedLinkBytes`, buffers counted whole; data stops 2 MiB before, control
 * 128 KiB. Waiting to be sent: 4 MiB of control (more ends the link), 4 MiB of data and 16 KiB for each stream,
 * if sources heed `sendData`. Delivered and not consumed: the link's window.
 */
export class LinkMachine {
	readonly #state: LinkState

	constructor(options: LinkMachineOptions) {
		this.#state = createLinkState(options.role, options.local ?? DEFAULT_WINDOW_LIMITS, options.peer ?? DEFAULT_WINDOW_LIMITS)
	}

	// ---- commands. Those about a stream that is over (or never was) do nothing: its last event may not have been read yet.

	/** Opens a stream and returns its id, or undefined if the link has as many as the peer allows. Data may follow at once. */
	openStream(request: OpenStreamRequest): number | undefined {
		const state = this.#state
		if (state.streams.size >= state.peer.streams || !this.#isUsable) return undefined
		const id = this.#takeId()
		const open = { op: 'open_stream' as const, id, ...request }
		queueControl(state, open)
		addStream(state, open, true)
		return id
	}

	/** Asks the peer and returns the `id` that its answer will carry. Undefined once the link is over. */
	sendRequest(request: LinkRequestBody): number | undefined {
		if (!this.#isUsable) return undefined
		const id = this.#takeId()
		queueControl(this.#state, { ...request, id })
		return id
	}

	/** Answers a request, or tells the peer something. Sequenced: it survives a resume. */
	sendMessage(message: LinkAnswer | LinkNotice): void {
		if (this.#isUsable) queueControl(this.#state, message)
	}

	/** Says something on this connection alone, ahead of all else; lost with the connection. */
	sendDriverMessage(message: DriverMessage): void {
		if (this.#state.phase === 'connected') this.#state.driverMessages.push(encodeControl(message))
	}

	/** Takes a stream that the peer opened. */
	acceptStream(streamId: number, fields: Omit<StreamOpened, 'op' | 'id'> = {}): void {
		const stream = this.#streamOf(streamId)
		if (stream === undefined) return
		if (stream.isLocal || stream.isAnswered) throw new Error(`stream ${streamId} is not waiting to be accepted`)
		stream.isAnswered = true
		queueControl(this.#state, { op: 'stream_opened', id: streamId, ...fields })
	}

	/**
	 * Refuses or ends a stream, both ways at once. Data that it had queued is dropped, and its exit; messages go out before
	 * the reset: they may say why. No event follows.
	 */
	resetStream(streamId: number, code: ResetCode, message?: string): void {
		const stream = this.#streamOf(streamId)
		if (stream === undefined) return
		const messages = stream.queue.messages
		dropStream(this.#state, stream)
		for (const json of messages) queueEncoded(this.#state, json)
		queueControl(this.#state, { op: 'stream_reset', id: streamId, code, ...(message === undefined ? {} : { message }) })
	}

	/**
	 * Queues data and takes over `bytes`: the caller must not change them. False if the stream's queue is full: the
	 * data is queued all the same, but the caller stops reading its source until `drained`. `fd` is for `exec` alone:
	 * 0 from the side that opened it, 1 or 2 from the other.
	 */
	sendData(streamId: number, bytes: Uint8Array, fd?: 0 | 1 | 2): boolean {
		const stream = this.#streamOf(streamId)
		if (stream === undefined) return true
		if (stream.isEndQueued) throw new Error(`stream ${streamId} has ended on this side`)
		if ((fd === undefined) !== (stream.fdBytes === 0))
			throw new Error(`an fd goes with the data of exec streams, and only with it`)
		if (bytes.length > 0) {
			stream.queue.pushData(fd, bytes)
			this.#state.queuedBytes += bytes.length
			relist(this.#state, stream)
		}
		if (stream.queue.dataBytes < streamQueueLimit(this.#state)) return true
		stream.wantsDrained = true
		return false
	}

	/** Half close: no data follows what is queued. */
	endStream(streamId: number): void {
		const stream = this.#streamOf(streamId)
		if (stream === undefined || stream.isEndQueued) return
		stream.isEndQueued = true
		this.#queueInOrder(stream, { op: 'stream_end', id: streamId })
	}

	/**
	 * Sends a message about a stream. `resize` and `signal` go ahead of the data that waits here, so that a program that
	 * doesn't read can still be interrupted; the others come after it, and must come before `endStream`.
	 */
	sendStreamMessage(streamId: number, body: StreamNoticeBody): void {
		const stream = this.#streamOf(streamId)
		if (stream === undefined) return
		const message = { ...body, id: streamId }
		if (message.op === 'resize' || message.op === 'signal') {
			queueControl(this.#state, message)
			return
		}
		if (stream.isEndQueued) throw new Error(`${message.op} must come before the end of stream ${streamId}`)
		this.#queueInOrder(stream, message)
	}

	/** The application took bytes of a stream's data: the peer may send as many more. */
	consume(streamId: number, byteCount: number): void {
		const stream = this.#state.streams.get(streamId)
		if (stream !== undefined) consumeStream(this.#state, stream, byteCount)
	}

	/** Ends the link and all its streams; queued control goes first, queued data is dropped. */
	closeLink(code: LinkEndCode, message?: string): void {
		if (this.#isUsable) endLink(this.#state, 'local', { code, message })
	}

	/** Asks the peer for a sign of life: a `pong` event follows if the connection works. */
	probe(): void {
		if (this.#state.phase === 'connected') this.#state.pacer.probe()
	}

	// ---- inputs

	/**
	 * Takes the plaintext of the next record and keeps views into it. After a fault of scope `connection` the driver
	 * ends the connection (and calls `connectionLost`); after one of scope `link` the link is over, and a last record
	 * that tells the peer so can be polled.
	 */
	receiveRecord(plaintext: Uint8Array, nowMs: number): LinkResult {
		const state = this.#state
		if (state.phase !== 'connected') return DONE
		if (state.frozen !== undefined) return this.#fail(this.#hold(plaintext))
		return this.#fail(receiveFrames(state, plaintext, nowMs))
	}

	/**
	 * A connection carries the link: the first, or one that replaced another. `peerReceived` is what the peer said it
	 * has (0 for a new link); what comes after is replayed. The records of the connection before must not be given any more.
	 */
	connectionUp(nowMs: number, peerReceived = 0): LinkResult {
		const state = this.#state
		if (!this.#isUsable) return DONE
		this.#park()
		const { acked, sent } = state.log
		state.phase = 'connected'
		if (!state.log.rewind(peerReceived)) {
			const detail = `resume from ${peerReceived}, outside [${acked}, ${sent}] or inside a frame`
			return this.#fail(linkFault('RESUME_OUT_OF_RANGE', detail))
		}
		state.pacer.restart(nowMs, peerReceived)
		state.acker.restart(nowMs)
		state.isLinkWindowDirty = state.receive.isGrantUnsure
		for (const stream of state.streams.values())
			if (stream.receive.isGrantUnsure && !stream.isPeerEnded) state.dirtyWindows.add(stream)
		return DONE
	}

	/** The connection is gone: the link waits, commands queue up. */
	connectionLost(): void {
		const state = this.#state
		if (state.phase === 'closing') state.phase = 'closed'
		if (state.phase !== 'connected') return
		this.#park()
		state.phase = 'parked'
	}

	/**
	 * Stops delivery and returns what was received so far, to be told to the peer in a resume. Records that still arrive
	 * are held: `connectionUp` drops them (the peer replays them), `thaw` takes them. On a parked link it only reads the count.
	 */
	freezeReceived(): number {
		if (this.#state.phase === 'connected') this.#state.frozen ??= { records: [], bytes: 0 }
		return this.#state.acker.received
	}

	/** The move to another connection failed: the old one goes on. */
	thaw(nowMs: number): LinkResult {
		const held = this.#state.frozen?.records ?? []
		this.#state.frozen = undefined
		for (const record of held) {
			const result = this.receiveRecord(record, nowMs)
			if (!result.ok) return result
		}
		return DONE
	}

	// ---- outputs

	/**
	 * The next record's plaintext, up to `LIMITS.recordPlaintextBytes`, or undefined if nothing may go now. It is kept for
	 * replay: the driver seals it into another buffer and never changes it.
	 */
	pollRecord(nowMs: number): Uint8Array | undefined {
		return composeRecord(this.#state, nowMs)
	}

	pollEvent(): LinkMachineEvent | undefined {
		return this.#state.events.shift()
	}

	/** When `pollRecord` is to be called again though nothing happened; on the clock of `nowMs`. */
	nextTimeoutMs(): number | undefined {
		return this.#state.phase === 'connected' ? this.#state.acker.dueAtMs : undefined
	}

	get isClosed(): boolean {
		return this.#state.phase === 'closed'
	}

	stats(): LinkStats {
		const { log, pacer, acker, receive, streams, queuedBytes } = this.#state
		return {
			rttMs: pacer.rttMs,
			lowestRttMs: pacer.lowestRttMs,
			bandwidthBytesPerMs: pacer.bandwidthBytesPerMs,
			bytesInFlight: log.inFlight,
			maxBytesInFlight: pacer.maxInFlightBytes,
			unackedBytes: log.sent - log.acked,
			retainedBytes: log.retainedBytes,
			queuedBytes,
			unconsumedBytes: receive.unconsumed,
			sentBytes: log.sent,
			receivedBytes: acker.received,
			streams: streams.size,
		}
	}

	get #isUsable(): boolean {
		return this.#state.phase === 'connected' || this.#state.phase === 'parked'
	}

	#takeId(): number {
		const id = this.#state.nextId
		if (id > 2 ** 32 - 1) throw new RangeError('the link has used up its ids')
		this.#state.nextId += 2
		return id
	}

	#streamOf(id: number): MuxStream | undefined {
		return this.#isUsable ? this.#state.streams.get(id) : undefined
	}

	#queueInOrder(stream: MuxStream, message: LinkMessage): void {
		const isEnd = message.op === 'stream_end'
		stream.queue.pushControl(encodeControl(message), { isEnd, needsData: isEnd || message.op === 'exit' })
		relist(this.#state, stream)
	}

	#hold(plaintext: Uint8Array): LinkResult {
		const { frozen } = this.#state
		if (frozen === undefined) return DONE
		frozen.records.push(plaintext)
		frozen.bytes += plaintext.length
		if (frozen.bytes <= LIMITS.parkedLinkBytes) return DONE
		return linkFault('FROZEN_OVERFLOW', `${frozen.bytes} bytes arrived while the connection was being replaced`)
	}

	#fail(result: LinkResult): LinkResult {
		if (!result.ok && result.error.scope === 'link')
			endLink(this.#state, 'fault', { code: 'protocol_error', message: result.error.code })
		return result
	}

	/** Forgets what belonged to the connection. */
	#park(): void {
		const state = this.#state
		state.driverMessages.clear()
		state.pongTokens = []
		state.dirtyWindows.clear()
		state.isLinkWindowDirty = false
		state.frozen = undefined
	}
}

export function createLinkMachine(options: LinkMachineOptions): LinkMachine {
	return new LinkMachine(options)
}
