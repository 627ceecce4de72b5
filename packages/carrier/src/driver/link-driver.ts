import type {
	LinkAnswer as AnyAnswer,
	LinkRequest as AnyRequest,
	LinkMachine,
	LinkMachineEvent,
	LinkNotice,
	LinkRole,
	StreamOpened,
	WindowLimits,
} from '@sallyport/link'
import { createLinkMachine } from '@sallyport/link'
import type { LinkEndCode, LinkId, Logger, OpenStream, ResetCode, Result } from '@sallyport/protocol'
import { CLOSE, fault, ok } from '@sallyport/protocol'
import type { Clock } from '../clock.ts'
import { LinkError } from '../errors.ts'
import type { LinkAnswer, LinkEnd, LinkRequest, LinkStats, OpeningStream, StreamRequest } from '../link.ts'
import type { LinkStream } from '../link-stream.ts'
import type { ChannelEnd } from '../secure-channel/channel-end.ts'
import type { SecureChannel } from '../secure-channel/secure-channel.ts'
import { DriverStream } from './driver-stream.ts'
import { linkEndFromChannel, linkEndFromMachine } from './link-ends.ts'
import { PendingRequests } from './requests.ts'

/** Records wait in the machine, where interactive ones go first, while more than this waits in the socket. */
const SOCKET_HIGH_BYTES = 256 * 1024
const SOCKET_LOW_BYTES = 64 * 1024

const LINK_OVER: LinkError = new LinkError('link_ended', 'the link is over')

export interface LinkDriverHandlers {
	readonly onStream?: (stream: LinkStream, request: OpenStream, accept: (fields: AcceptFields) => void) => void
	readonly onRequest?: (message: AnyRequest) => void
	readonly onNotice?: (message: LinkNotice) => void
	/** The last call. */
	readonly onEnd: (end: LinkEnd) => void
}
export type AcceptFields = Omit<StreamOpened, 'op' | 'id'>

export interface LinkDriverOptions {
	readonly id: LinkId
	readonly role: LinkRole
	/** What the peer allows. */
	readonly peerLimits?: WindowLimits
	readonly clock: Clock
	readonly log: Logger
}

/**
 * Joins a link's machine to its present connection: sends what the machine has as fast as the socket takes it, hands what
 * happened to streams and requests, keeps the machine's timer. The connection may be exchanged for another; see `attach`.
 */
export class LinkDriver {
	readonly id: LinkId
	readonly #machine: LinkMachine
	readonly #clock: Clock
	readonly #log: Logger
	readonly #streams = new Map<number, DriverStream>()
	readonly #opening = new Map<
		number,
		{ readonly resolve: (opened: { terminalId?: string; name?: string }) => void; readonly reject: (error: LinkError) => void }
	>()
	readonly #requests = new PendingRequests()
	#handlers: LinkDriverHandlers = { onEnd: () => undefined }
	#channel: SecureChannel | undefined
	#end: LinkEnd | undefined
	#isPumpQueued = false
	#isCongested = false
	#isDispatching = false
	#cancelTimer: (() => void) | undefined
	#timerAtMs = Number.POSITIVE_INFINITY
	#bytesSent = 0
	#bytesReceived = 0

	constructor(options: LinkDriverOptions) {
		this.id = options.id
		this.#clock = options.clock
		this.#log = options.log
		const { peerLimits } = options
		this.#machine = createLinkMachine({ role: options.role, ...(peerLimits && { peer: peerLimits }) })
	}

	get end(): LinkEnd | undefined {
		return this.#end
	}

	get stats(): LinkStats {
		const { rttMs } = this.#machine.stats()
		return {
			...(rttMs !== undefined && { rttMs }),
			bytesSent: this.#bytesSent,
			bytesReceived: this.#bytesReceived,
			streams: this.#streams.size,
		}
	}

	setHandlers(handlers: LinkDriverHandlers): void {
		this.#handlers = handlers
	}

	/**
	 * Puts the link on a connection: the first, or by a resume another one. `early` came before. With `peerReceived` what the
	 * peer hasn't received is sent again; a fault means that the peer asks for what can't be, and the link is over.
	 */
	attach(
		channel: SecureChannel,
		options: { readonly early?: readonly Uint8Array[]; readonly peerReceived?: number } = {},
	): Result<void> {
		if (this.#end !== undefined) {
			// It ended while the connection was being made, which nobody else would close.
			channel.close(CLOSE.normal.code, CLOSE.normal.name)
			return fault('MESSAGE_INVALID', 'link is over')
		}
		const old = this.#channel
		this.#channel = channel
		this.#isCongested = false
		old?.setHandlers({ onRecord: () => undefined, onEnd: () => undefined })
		old?.close(CLOSE.replaced.code, CLOSE.replaced.name)
		const { peerReceived } = options
		const up = this.#machine.connectionUp(this.#now(), peerReceived)
		if (!up.ok) {
			this.#dispatch()
			return fault('MESSAGE_INVALID', up.error.detail)
		}
		for (const record of options.early ?? []) this.#receive(channel, record)
		channel.setHandlers({
			onRecord: (plaintext) => this.#receive(channel, plaintext),
			onEnd: (end) => this.#channelEnded(channel, end),
		})
		this.#pump()
		return ok(undefined)
	}

	/** Stops taking from the present connection and says how far the peer's bytes were taken: for a resume. */
	freeze(): number {
		return this.#machine.freezeReceived()
	}

	/** The resume came to nothing: what arrived meanwhile is taken after all. */
	unfreeze(): void {
		const thawed = this.#machine.thaw(this.#now())
		if (!thawed.ok) this.#log.warn('peer broke the link protocol', { code: thawed.error.code, detail: thawed.error.detail })
		this.#dispatch()
		this.#pump()
	}

	/** @throws {LinkError} `link_ended`, or `limit_reached` when the peer allows no more streams */
	openStream(request: StreamRequest): OpeningStream {
		if (this.#end !== undefined) throw LinkError.fromEnd(this.#end)
		const id = this.#machine.openStream(request)
		if (id === undefined) throw new LinkError('limit_reached', 'too many streams are open on this link; close some')
		const stream = this.#addStream(id, request.kind)
		const opened = new Promise<{ terminalId?: string; name?: string }>((resolve, reject) =>
			this.#opening.set(id, { resolve, reject }),
		)
		// Whoever only uses the stream learns of a refusal by its reset.
		opened.catch(() => undefined)
		this.#dispatch()
		this.#queuePump()
		return { stream, opened }
	}

	request(request: LinkRequest): Promise<LinkAnswer> {
		const id = this.#end === undefined ? this.#machine.sendRequest(request) : undefined
		if (id === undefined) return Promise.reject(this.#end === undefined ? LINK_OVER : LinkError.fromEnd(this.#end))
		const answer = this.#requests.add(id)
		this.#queuePump()
		return answer
	}

	send(message: AnyAnswer | LinkNotice): void {
		if (this.#end !== undefined) return
		this.#machine.sendMessage(message)
		this.#queuePump()
	}

	close(code: LinkEndCode, message?: string): void {
		if (this.#end !== undefined) return
		this.#machine.closeLink(code, message)
		this.#pump()
		this.#dispatch()
	}

	#addStream(id: number, kind: OpenStream['kind']): DriverStream {
		const stream = new DriverStream(id, kind, {
			sendData: (streamId, bytes, fd) => {
				const hasRoom = this.#machine.sendData(streamId, bytes, kind === 'exec' ? fd : undefined)
				this.#queuePump()
				return hasRoom
			},
			sendMessage: (streamId, message) => {
				this.#machine.sendStreamMessage(streamId, message)
				this.#queuePump()
			},
			consume: (streamId, byteCount) => {
				this.#machine.consume(streamId, byteCount)
				this.#queuePump()
			},
			endStream: (streamId) => {
				this.#machine.endStream(streamId)
				this.#queuePump()
			},
			resetStream: (streamId, code, message) => {
				this.#machine.resetStream(streamId, code, message)
				this.#streams.delete(streamId)
				this.#queuePump()
			},
		})
		this.#streams.set(id, stream)
		return stream
	}

	#now(): number {
		return this.#clock.monotonicMs()
	}

	#receive(channel: SecureChannel, plaintext: Uint8Array): void {
		if (channel !== this.#channel || this.#end !== undefined) return
		this.#bytesReceived += plaintext.length
		const received = this.#machine.receiveRecord(plaintext, this.#now())
		if (!received.ok) {
			this.#log.warn('peer broke the link protocol', { code: received.error.code, detail: received.error.detail })
			if (received.error.scope === 'connection') this.close('protocol_error', received.error.detail)
		}
		this.#dispatch()
		this.#pump()
	}

	/** Hands out what happened. Handlers may write: what that leads to is sent by the pump that follows. */
	#dispatch(): void {
		if (this.#isDispatching) return
		this.#isDispatching = true
		try {
			for (let event = this.#machine.pollEvent(); event !== undefined; event = this.#machine.pollEvent()) this.#handle(event)
		} finally {
			this.#isDispatching = false
		}
	}

	#handle(event: LinkMachineEvent): void {
		switch (event.kind) {
			case 'stream_open':
				return this.#inbound(event.open)
			case 'stream_opened':
				return this.#opened(event.streamId, event.opened)
			case 'data':
				return this.#streams.get(event.streamId)?.deliver({ kind: 'data', bytes: event.bytes, fd: event.fd ?? 0 })
			case 'stream_message':
				return this.#streams.get(event.streamId)?.deliver({ kind: 'message', message: event.message })
			case 'stream_end':
				return this.#streams.get(event.streamId)?.deliver({ kind: 'end' })
			case 'stream_reset':
				return this.#reset(event.streamId, event.code, event.message, true)
			case 'stream_closed':
				this.#streams.get(event.streamId)?.deliver({ kind: 'closed' })
				this.#streams.delete(event.streamId)
				return
			case 'drained':
				return this.#streams.get(event.streamId)?.deliver({ kind: 'drain' })
			case 'request':
				return this.#handlers.onRequest?.(event.message)
			case 'answer':
				return this.#requests.settle(event.message)
			case 'notice':
				return this.#handlers.onNotice?.(event.message)
			case 'driver_message':
				return this.#log.debug('late connection message', { op: event.message.op })
			case 'pong':
				return
			case 'link_closed':
				return this.#finish(linkEndFromMachine(event))
			default:
				event satisfies never
		}
	}

	#inbound(open: OpenStream): void {
		const stream = this.#addStream(open.id, open.kind)
		const { onStream } = this.#handlers
		if (onStream === undefined) return stream.reset('unsupported', 'this side takes no streams')
		onStream(stream, open, (fields) => {
			if (this.#end !== undefined || stream.isOver) return
			this.#machine.acceptStream(open.id, fields)
			this.#queuePump()
		})
	}

	#opened(streamId: number, fields: { readonly terminal_id?: string; readonly name?: string }): void {
		const { terminal_id: terminalId, name } = fields
		this.#opening.get(streamId)?.resolve({ ...(terminalId !== undefined && { terminalId }), ...(name !== undefined && { name }) })
		this.#opening.delete(streamId)
	}

	#reset(streamId: number, code: ResetCode, message: string | undefined, byPeer: boolean): void {
		const stream = this.#streams.get(streamId)
		this.#streams.delete(streamId)
		this.#opening.get(streamId)?.reject(new LinkError(code, message ?? code))
		this.#opening.delete(streamId)
		stream?.deliver({ kind: 'reset', reset: { code, message: message ?? code, byPeer } })
	}

	/** One pump for all that is written in one turn, so that it shares records. */
	#queuePump(): void {
		if (this.#isPumpQueued) return
		this.#isPumpQueued = true
		queueMicrotask(() => {
			this.#isPumpQueued = false
			this.#pump()
		})
	}

	#pump(): void {
		const channel = this.#channel
		if (channel === undefined) return
		const nowMs = this.#now()
		while (!this.#isCongested) {
			const record = this.#machine.pollRecord(nowMs)
			if (record === undefined) break
			this.#bytesSent += record.length
			channel.send(record)
			if (channel.bufferedBytes > SOCKET_HIGH_BYTES) this.#waitForSocket(channel)
		}
		this.#dispatch()
		this.#setTimer(nowMs)
	}

	#waitForSocket(channel: SecureChannel): void {
		this.#isCongested = true
		channel.onceDrained(SOCKET_LOW_BYTES, () => {
			if (channel !== this.#channel) return
			this.#isCongested = false
			this.#pump()
		})
	}

	/** None while the socket is full: what is due goes out when it has drained, and a timer could only spin until then. */
	#setTimer(nowMs: number): void {
		const isIdle = this.#end !== undefined || this.#isCongested
		const atMs = (isIdle ? undefined : this.#machine.nextTimeoutMs()) ?? Number.POSITIVE_INFINITY
		if (atMs === this.#timerAtMs) return
		this.#cancelTimer?.()
		this.#cancelTimer = undefined
		this.#timerAtMs = atMs
		if (atMs === Number.POSITIVE_INFINITY) return
		this.#cancelTimer = this.#clock.setTimer(Math.max(0, atMs - nowMs), () => {
			this.#timerAtMs = Number.POSITIVE_INFINITY
			this.#cancelTimer = undefined
			this.#pump()
		})
	}

	#channelEnded(channel: SecureChannel, end: ChannelEnd): void {
		if (channel !== this.#channel || this.#end !== undefined) return
		this.#channel = undefined
		this.#machine.connectionLost()
		this.#dispatch()
		this.#finish(linkEndFromChannel(end))
	}

	#finish(end: LinkEnd): void {
		if (this.#end !== undefined) return
		this.#end = end
		this.#setTimer(0)
		for (const streamId of [...this.#streams.keys()])
			this.#reset(streamId, end.code === 'agent_restarted' ? 'agent_restarted' : 'link_lost', end.message, false)
		this.#requests.rejectAll(LinkError.fromEnd(end))
		this.#closeChannel()
		this.#handlers.onEnd(end)
	}

	#closeChannel(): void {
		const channel = this.#channel
		this.#channel = undefined
		if (channel === undefined) return
		for (let record = this.#machine.pollRecord(this.#now()); record !== undefined; record = this.#machine.pollRecord(this.#now()))
			channel.send(record)
		channel.close(CLOSE.normal.code, CLOSE.normal.name)
	}
}
