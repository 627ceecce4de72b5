/**
 * Which stream's data goes next.
 *
 * ```
 *            data of an interactive stream, the first 16 KiB of a round trip;
 *            a message at the head of any stream's queue
 *  idle ---------------------------------------------------------> urgent       unpaced
 *   |    more data of it than that                  |
 *   |----------------------------------------> interactive \  take turns,       paced
 *   |    data of a bulk stream                              } stream by stream
 *   '----------------------------------------> bulk        /  (bulk: not the
 *                                                              reserved credit)
 * ```
 * A stream is in one list at a time, and in none while its own window is used up or it has nothing to send.
 */
import { DATA_FRAME_OVERHEAD, LIMITS } from '@sallyport/protocol'
import type { LinkState, MuxStream, ReadyList } from './link-state.ts'
import { closeIfEnded, reservedBytes, streamQueueLimit } from './link-state.ts'
import type { RecordWriter } from './record-writer.ts'
import { TRAILER_BYTES } from './record-writer.ts'

/** A stream's turn when others wait too. */
const QUANTUM_BYTES = 16 * 1024
/** Data that an interactive stream may send unpaced within a round trip. */
const BURST_BYTES = 16 * 1024
/** The rest of a record that is shorter stays empty: no crumbs. */
const MIN_ROOM_BYTES = 512
/** Beyond this much kept for replay no data is sent; control has the rest. */
const DATA_RETAINED_BYTES = LIMITS.parkedLinkBytes - 2 * 1024 * 1024
const FRAME_OVERHEAD_BYTES = DATA_FRAME_OVERHEAD + 1
/** With this much on its way acks come soon: a short record can wait for one. */
const BUSY_IN_FLIGHT_BYTES = 2 * LIMITS.recordPlaintextBytes

/** Puts a stream in the list where it now belongs, if it isn't in one. */
export function relist(state: LinkState, stream: MuxStream): void {
	if (stream.readyIn !== undefined || stream.isReset) return
	const list = listFor(state, stream)
	if (list === undefined) return
	enlist(state, stream, list)
}

function listFor(state: LinkState, stream: MuxStream): ReadyList | undefined {
	const { head } = stream.queue
	if (head === undefined) return undefined
	if (head === 'control') return 'urgent'
	if (stream.sentBytes + stream.fdBytes >= stream.sendMaxBytes) return undefined
	if (stream.class === 'bulk') return 'bulk'
	return burstLeft(state, stream) > 0 ? 'urgent' : 'interactive'
}

function enlist(state: LinkState, stream: MuxStream, list: ReadyList): void {
	stream.readyIn = list
	state.ready[list].push(stream)
}

/** The first stream of a list that is still there. */
function first(state: LinkState, list: ReadyList): MuxStream | undefined {
	let stream = state.ready[list].at(0)
	while (stream?.isReset) {
		state.ready[list].shift()
		stream = state.ready[list].at(0)
	}
	return stream
}

function unlistFirst(state: LinkState, stream: MuxStream, list: ReadyList): void {
	state.ready[list].shift()
	stream.readyIn = undefined
}

function burstLeft(state: LinkState, stream: MuxStream): number {
	if (state.log.acked >= stream.burstMark) stream.burstBytes = 0
	return BURST_BYTES - stream.burstBytes
}

export function writeUrgent(state: LinkState, writer: RecordWriter): void {
	for (let stream = first(state, 'urgent'); stream !== undefined; stream = first(state, 'urgent')) {
		if (stream.queue.head === 'control') {
			if (!writeMessages(state, writer, stream)) return
			unlistFirst(state, stream, 'urgent')
			relist(state, stream)
			continue
		}
		const burst = burstLeft(state, stream)
		if (burst <= 0 || !mayKeepData(state) || linkCredit(state, 'urgent') <= 0) {
			unlistFirst(state, stream, 'urgent')
			enlist(state, stream, 'interactive')
			continue
		}
		if (dataRoom(writer) < MIN_ROOM_BYTES) return
		writeData(state, writer, stream, Math.min(burst, linkCredit(state, 'urgent')))
		unlistFirst(state, stream, 'urgent')
		relist(state, stream)
	}
}

export function writePaced(state: LinkState, writer: RecordWriter, nowMs: number): void {
	// Several records to a window, so that acks come while others are on their way, and slow lines get short ones.
	const recordBytes = Math.floor(state.pacer.maxInFlightBytes / 4)
	if (isWorthWaiting(state, recordBytes)) return
	while (mayKeepData(state) && dataRoom(writer) >= MIN_ROOM_BYTES && writer.sequencedBytes < recordBytes) {
		const list = nextPacedList(state)
		const stream = list === undefined ? undefined : first(state, list)
		if (list === undefined || stream === undefined) return
		const allowed = state.pacer.maxInFlightBytes - state.log.inFlight - writer.sequencedBytes - FRAME_OVERHEAD_BYTES
		if (allowed < recordBytes / 2) {
			state.pacer.limited(nowMs)
			return
		}
		const isAlone = state.ready.interactive.length + state.ready.bulk.length === 1
		const turn = isAlone ? recordBytes : QUANTUM_BYTES
		writeData(state, writer, stream, Math.min(turn, allowed, linkCredit(state, list)))
		state.isBulkTurn = list !== 'bulk'
		unlistFirst(state, stream, list)
		relist(state, stream)
	}
}

/**
 * Whether little is queued while much is on its way: it waits for more, at the latest for the next ack, as in Nagle's
 * algorithm (RFC 896), since many short records cost more processor time than few long ones.
 */
function isWorthWaiting(state: LinkState, recordBytes: number): boolean {
	const enoughBytes = Math.min(recordBytes, LIMITS.recordPlaintextBytes - MIN_ROOM_BYTES)
	return state.queuedBytes < enoughBytes && state.log.inFlight >= BUSY_IN_FLIGHT_BYTES
}

function nextPacedList(state: LinkState): 'interactive' | 'bulk' | undefined {
	const hasInteractive = first(state, 'interactive') !== undefined && linkCredit(state, 'interactive') > 0
	const hasBulk = first(state, 'bulk') !== undefined && linkCredit(state, 'bulk') > 0
	if (hasBulk && (state.isBulkTurn || !hasInteractive)) return 'bulk'
	return hasInteractive ? 'interactive' : undefined
}

/** Content that the link window lets through in one frame, an fd byte set aside. */
function linkCredit(state: LinkState, list: ReadyList): number {
	return state.sendMaxBytes - state.sentDataBytes - 1 - (list === 'bulk' ? reservedBytes(state.peer) : 0)
}

function mayKeepData(state: LinkState): boolean {
	return state.log.retainedBytes < DATA_RETAINED_BYTES
}

function dataRoom(writer: RecordWriter): number {
	return writer.room - TRAILER_BYTES - FRAME_OVERHEAD_BYTES
}

/** Writes the messages at the head of a stream's queue; false if the record has no room for all of them. */
function writeMessages(state: LinkState, writer: RecordWriter, stream: MuxStream): boolean {
	for (let item = stream.queue.peekControl(); item !== undefined; item = stream.queue.peekControl()) {
		if (!writer.fitsControl(item.json)) return false
		writer.control(item.json)
		stream.queue.dropControl()
		if (item.isEnd) {
			stream.isEndSent = true
			closeIfEnded(state, stream)
		}
	}
	return true
}

function writeData(state: LinkState, writer: RecordWriter, stream: MuxStream, maxBytes: number): void {
	const room = Math.min(maxBytes, dataRoom(writer), stream.sendMaxBytes - stream.sentBytes - stream.fdBytes)
	const content = stream.queue.peekData(room)
	writer.data(stream.id, stream.queue, content)
	stream.sentBytes += content.length + stream.fdBytes
	state.sentDataBytes += content.length + stream.fdBytes
	state.queuedBytes -= content.length
	stream.burstBytes += content.length
	stream.burstMark = state.log.sent + writer.sequencedBytes
	if (stream.wantsDrained && stream.queue.dataBytes * 2 <= streamQueueLimit(state)) {
		stream.wantsDrained = false
		state.events.push({ kind: 'drained', streamId: stream.id })
	}
}
