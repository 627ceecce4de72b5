/** Takes records apart and applies what they hold. Every count is checked before anything is kept. */
import type { LinkLevelMessage, LinkMessage, OpenStream, StreamMessage } from '@sallyport/protocol'
import { decodeFrames, isConnectionMessage, isStreamMessage, LIMITS, parseLinkMessage } from '@sallyport/protocol'
import { readCreditMessage } from './credit-messages.ts'
import { relist } from './data-scheduler.ts'
import type { DriverMessage, LinkRequest, TransportMessage } from './events.ts'
import type { LinkResult } from './fault.ts'
import { connectionFault, DONE, linkFault } from './fault.ts'
import type { LinkState, MuxStream } from './link-state.ts'
import {
	addStream,
	CONTROL_QUEUE_BYTES,
	closeIfEnded,
	consumeFromLink,
	consumeStream,
	dropStream,
	endLink,
	isOwnId,
	isUsedId,
	queueControl,
	receiveOnLink,
} from './link-state.ts'

/** Pings that wait for their pong; of more only the latest are answered. */
const MAX_PONGS = 8

export function receiveFrames(state: LinkState, plaintext: Uint8Array, nowMs: number): LinkResult {
	const frames = decodeFrames(plaintext)
	if (!frames.ok) return connectionFault(frames.error)
	for (const frame of frames.value) {
		const result =
			frame.kind === 'control'
				? receiveControl(state, frame.json, nowMs)
				: frame.kind === 'data'
					? receiveData(state, frame.streamId, frame.bytes, nowMs)
					: DONE
		if (!result.ok) return result
		// A close in the record: what follows it means nothing.
		if (state.phase === 'closed') return DONE
	}
	if (state.controlBytes > CONTROL_QUEUE_BYTES)
		return linkFault('CONTROL_OVERFLOW', `${state.controlBytes} bytes of control messages wait for the peer's acks`)
	return DONE
}

function receiveControl(state: LinkState, json: Uint8Array, nowMs: number): LinkResult {
	const credit = readCreditMessage(json)
	if (credit !== undefined) return receiveTransport(state, credit, nowMs)
	const parsed = parseLinkMessage(json)
	if (!parsed.ok) return connectionFault(parsed.error)
	const message = parsed.value
	if (message.op !== 'unknown' && isConnectionMessage(message)) return receiveConnectionMessage(state, message, nowMs)
	// What isn't known counts as sequenced: a new connection message needs a feature that both sides named.
	state.acker.receive(LIMITS.frameHeaderBytes + json.length, nowMs, state.pacer.lowestRttMs)
	if (message.op === 'unknown') return receiveUnknown(state, message)
	return isStreamMessage(message) ? receiveStreamMessage(state, message) : receiveLinkMessage(state, message)
}

type Unknown = { readonly op: 'unknown'; readonly name: string; readonly id?: number }

function receiveUnknown(state: LinkState, { id, name }: Unknown): LinkResult {
	if (id === undefined) return DONE
	if (!isOwnId(state, id)) state.highestPeerId = Math.max(state.highestPeerId, id)
	queueControl(state, { op: 'unsupported', id, what: name })
	return DONE
}

type Connection = Extract<LinkMessage, TransportMessage | DriverMessage>

function receiveConnectionMessage(state: LinkState, message: Connection, nowMs: number): LinkResult {
	switch (message.op) {
		case 'ack':
		case 'window':
		case 'ping':
		case 'pong':
			return receiveTransport(state, message, nowMs)
		case 'link_ready':
		case 'resumed':
		case 'session_gone':
		case 'pairing_required':
		case 'link_refused':
		case 'pair_commit':
		case 'pair_queued':
		case 'pair_nonce':
		case 'pair_reveal':
		case 'pair_approved':
		case 'pair_failed':
		case 'pair_confirm':
			state.events.push({ kind: 'driver_message', message })
			return DONE
	}
}

function receiveTransport(state: LinkState, message: TransportMessage, nowMs: number): LinkResult {
	switch (message.op) {
		case 'ack': {
			const { acked, sent } = state.log
			if (!state.log.ack(message.received))
				return linkFault('ACK_OUT_OF_RANGE', `ack of ${message.received} is outside [${acked}, ${sent}] or inside a frame`)
			state.pacer.acked(nowMs, message.received, state.log.inFlight)
			return DONE
		}
		case 'window': {
			if (message.id === 0) {
				state.sendMaxBytes = Math.max(state.sendMaxBytes, message.max)
				return DONE
			}
			const stream = state.streams.get(message.id)
			if (stream === undefined) return DONE
			stream.sendMaxBytes = Math.max(stream.sendMaxBytes, message.max)
			relist(state, stream)
			return DONE
		}
		case 'ping':
			state.pongTokens = [...state.pongTokens, message.token].slice(-MAX_PONGS)
			return DONE
		case 'pong': {
			const rttMs = state.pacer.pong(message.token, nowMs)
			if (rttMs !== undefined) state.events.push({ kind: 'pong', rttMs })
			return DONE
		}
	}
}

function receiveData(state: LinkState, streamId: number, content: Uint8Array, nowMs: number): LinkResult {
	state.acker.receive(LIMITS.frameHeaderBytes + 4 + content.length, nowMs, state.pacer.lowestRttMs)
	const stream = state.streams.get(streamId)
	if (stream === undefined) return receiveLateData(state, streamId, content.length)
	if (stream.isPeerEnded) return linkFault('STREAM_STATE_INVALID', `data of stream ${streamId} after its end`)
	if (!stream.receive.receive(content.length))
		return linkFault('WINDOW_EXCEEDED', `${content.length} bytes exceed the window of stream ${streamId}`)
	if (!receiveOnLink(state, content.length))
		return linkFault('WINDOW_EXCEEDED', `${content.length} bytes exceed the link's window`)
	const fd = stream.fdBytes === 0 ? undefined : content[0]
	if (stream.fdBytes === 1) {
		if (!isFdOf(stream, fd)) return linkFault('STREAM_STATE_INVALID', `data of stream ${streamId} for file descriptor ${fd}`)
		consumeStream(state, stream, 1)
	}
	if (content.length > stream.fdBytes) {
		// A view keeps its whole record in memory: too much for a few bytes that are left unread.
		const isMostOfRecord = content.length * 2 >= content.buffer.byteLength
		const view = content.subarray(stream.fdBytes)
		// Not `slice`: of a Node buffer that is another view.
		state.events.push({ kind: 'data', streamId, fd, bytes: isMostOfRecord ? view : new Uint8Array(view) })
	}
	return DONE
}

/** Who opened an `exec` writes its standard input and reads the two outputs. */
function isFdOf(stream: MuxStream, fd: number | undefined): boolean {
	return stream.isLocal ? fd === 1 || fd === 2 : fd === 0
}

/** A stream that is over here may still have data on its way: counted, given back, ignored. */
function receiveLateData(state: LinkState, streamId: number, byteCount: number): LinkResult {
	if (!isUsedId(state, streamId)) return linkFault('ID_MISUSED', `data of stream ${streamId}, which was never opened`)
	if (!receiveOnLink(state, byteCount)) return linkFault('WINDOW_EXCEEDED', `${byteCount} bytes exceed the link's window`)
	consumeFromLink(state, byteCount)
	return DONE
}

function receiveStreamMessage(state: LinkState, message: StreamMessage): LinkResult {
	if (message.op === 'open_stream') return receiveOpen(state, message)
	const stream = state.streams.get(message.id)
	if (stream === undefined) {
		return isUsedId(state, message.id) ? DONE : linkFault('ID_MISUSED', `${message.op} of stream ${message.id}, never opened`)
	}
	switch (message.op) {
		case 'stream_opened':
			if (!stream.isLocal || stream.isAnswered)
				return linkFault('STREAM_STATE_INVALID', `stream_opened of stream ${stream.id} was not asked for`)
			stream.isAnswered = true
			state.events.push({ kind: 'stream_opened', streamId: stream.id, opened: message })
			return DONE
		case 'stream_end':
			if (stream.isPeerEnded) return linkFault('STREAM_STATE_INVALID', `stream ${stream.id} ended twice`)
			stream.isPeerEnded = true
			state.dirtyWindows.delete(stream)
			state.events.push({ kind: 'stream_end', streamId: stream.id })
			closeIfEnded(state, stream)
			return DONE
		case 'stream_reset':
			dropStream(state, stream)
			state.events.push({ kind: 'stream_reset', streamId: stream.id, code: message.code, message: message.message })
			return DONE
		case 'resize':
		case 'signal':
		case 'exit':
		case 'login_prompt':
		case 'login_answer':
		case 'host_key':
			state.events.push({ kind: 'stream_message', streamId: stream.id, message })
			return DONE
	}
}

function receiveOpen(state: LinkState, open: OpenStream): LinkResult {
	const taken = takePeerId(state, open.id)
	if (!taken.ok) return taken
	if (state.streams.size >= state.local.streams) {
		queueControl(state, { op: 'stream_reset', id: open.id, code: 'limit_reached' })
		return DONE
	}
	addStream(state, open, false)
	state.events.push({ kind: 'stream_open', streamId: open.id, open })
	return DONE
}

function takePeerId(state: LinkState, id: number): LinkResult {
	if (isOwnId(state, id) || id <= state.highestPeerId)
		return linkFault('ID_MISUSED', `id ${id} is not the peer's to use, or was used before`)
	state.highestPeerId = id
	return DONE
}

function receiveLinkMessage(state: LinkState, message: LinkLevelMessage): LinkResult {
	switch (message.op) {
		case 'list_terminals':
		case 'end_terminal':
		case 'rename_terminal':
		case 'list_sessions':
		case 'revoke_session':
		case 'approve_pairing':
		case 'deny_pairing':
			return receiveRequest(state, message)
		case 'terminals':
		case 'sessions':
		case 'pairing_approved':
		case 'done':
		case 'failed':
			state.events.push({ kind: 'answer', message })
			return DONE
		case 'unsupported':
			if (message.what === 'open_stream') refuseStream(state, message.id)
			else state.events.push({ kind: 'answer', message })
			return DONE
		case 'pairing_request':
		case 'pairing_ended':
		case 'device_paired':
		case 'terminals_changed':
			state.events.push({ kind: 'notice', message })
			return DONE
		case 'close_link':
			endLink(state, 'peer', message)
			return DONE
	}
}

function receiveRequest(state: LinkState, message: LinkRequest): LinkResult {
	const taken = takePeerId(state, message.id)
	if (taken.ok) state.events.push({ kind: 'request', message })
	return taken
}

/** The peer's version knows no such kind of stream. */
function refuseStream(state: LinkState, id: number): void {
	const stream = state.streams.get(id)
	if (stream === undefined || !stream.isLocal) return
	dropStream(state, stream)
	state.events.push({ kind: 'stream_reset', streamId: id, code: 'unsupported', message: undefined })
}
