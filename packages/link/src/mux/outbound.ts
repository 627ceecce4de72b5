/**
 * Fills records. Order: acks and windows, what was sent before (replay), control, urgent, paced. A record that carries
 * urgent frames carries no paced ones, so that a keystroke doesn't wait for 64 KiB of upload to arrive with it.
 */
import { LIMITS } from '@sallyport/protocol'
import { encodeAck, encodeWindow } from './credit-messages.ts'
import { writePaced, writeUrgent } from './data-scheduler.ts'
import type { LinkState, MuxStream } from './link-state.ts'
import { encodeControl, reservedBytes, takeControl } from './link-state.ts'
import { RecordWriter, TRAILER_BYTES } from './record-writer.ts'

/** Beyond this much kept for replay, nothing more is sent that would have to be kept; data stops well before. */
const CONTROL_RETAINED_BYTES = LIMITS.parkedLinkBytes - 128 * 1024

/** The next record's plaintext, or undefined if nothing may go now. */
export function composeRecord(state: LinkState, nowMs: number): Uint8Array | undefined {
	if (state.phase === 'parked' || state.phase === 'closed') return undefined
	const writer = new RecordWriter()
	writeUnsequenced(state, writer, nowMs)
	if (state.log.isReplaying) return composeReplay(state, writer, nowMs)
	writer.markSequenced()
	const isControlSent = writeControl(state, writer)
	if (state.phase === 'connected' && isControlSent) writeUrgent(state, writer)
	const isUrgent = writer.sequencedBytes > 0
	if (state.phase === 'connected' && isControlSent && !isUrgent) writePaced(state, writer, nowMs)
	if (writer.length === 0 && !isTrailerDue(state, nowMs)) return undefined
	const sequenced = writer.sequencedRange()
	const isPadded = isUrgent || sequenced.start === sequenced.end
	writeTrailer(state, writer, nowMs)
	if (isPadded) writer.pad()
	if (sequenced.end > sequenced.start) {
		state.pacer.sending(nowMs)
		state.log.append(writer.view(sequenced.start, sequenced.end), isPadded)
	}
	if (state.phase === 'closing' && state.control.length === 0) state.phase = 'closed'
	return writer.view(0, writer.length)
}

function writeUnsequenced(state: LinkState, writer: RecordWriter, nowMs: number): void {
	for (let json = state.driverMessages.at(0); json !== undefined; json = state.driverMessages.at(0)) {
		if (!writer.fitsControl(json)) return
		writer.control(json)
		state.driverMessages.shift()
	}
	for (const token of state.pongTokens) writer.control(encodeControl({ op: 'pong', token }))
	state.pongTokens = []
	const rttMs = state.pacer.lowestRttMs
	if (state.isLinkWindowDirty) {
		state.isLinkWindowDirty = false
		writer.control(encodeWindow(0, state.receive.grant(nowMs, rttMs, state.local.linkWindowBytes)))
	}
	for (const stream of state.dirtyWindows) {
		const window = encodeWindow(stream.id, Number.MAX_SAFE_INTEGER)
		if (!writer.fitsControl(window)) return
		state.dirtyWindows.delete(stream)
		writer.control(encodeWindow(stream.id, grantStream(state, stream, nowMs, rttMs)))
	}
}

/** All windows together stay within what the link window can hold, so that a stream left unread can't stop the others. */
function grantStream(state: LinkState, stream: MuxStream, nowMs: number, rttMs: number): number {
	const before = stream.receive.size
	const budget = state.local.linkWindowBytes - reservedBytes(state.local)
	const granted = stream.receive.grant(nowMs, rttMs, budget - (state.windowBytes - before))
	state.windowBytes += stream.receive.size - before
	return granted
}

function isTrailerDue(state: LinkState, nowMs: number): boolean {
	return state.acker.isDue(nowMs) || state.pacer.isPingUrgent
}

function writeTrailer(state: LinkState, writer: RecordWriter, nowMs: number): void {
	const received = state.acker.take()
	if (received !== undefined) writer.control(encodeAck(received))
	const token = state.pacer.takePing(nowMs, state.log.inFlight)
	if (token !== undefined) writer.control(encodeControl({ op: 'ping', token }))
}

/** Frames as they were, in order: a large record alone and not copied, small ones together. */
function composeReplay(state: LinkState, writer: RecordWriter, nowMs: number): Uint8Array {
	state.pacer.sending(nowMs)
	if (isTrailerDue(state, nowMs)) writeTrailer(state, writer, nowMs)
	let entry = state.log.peekReplay()
	if (entry !== undefined && writer.length === 0 && !entry.isPadded) {
		state.log.replayed(entry)
		return entry.frames
	}
	let isPadded = true
	while (entry !== undefined && entry.frames.length + TRAILER_BYTES <= writer.room) {
		writer.frames(entry.frames)
		isPadded &&= entry.isPadded
		state.log.replayed(entry)
		entry = state.log.peekReplay()
	}
	if (isPadded) writer.pad()
	return writer.view(0, writer.length)
}

/** False if some control frame has to wait for the next record, and with it all that was queued after it. */
function writeControl(state: LinkState, writer: RecordWriter): boolean {
	for (let json = state.control.at(0); json !== undefined; json = state.control.at(0)) {
		// A farewell goes whatever is kept: nothing will be replayed after it.
		const isFull = state.log.retainedBytes >= CONTROL_RETAINED_BYTES && state.phase === 'connected'
		if (isFull || !writer.fitsControl(json)) return false
		writer.control(json)
		takeControl(state)
	}
	return true
}
