import { LIMITS } from '@sallyport/protocol'
import type { NodeMessageSocket } from './node-socket.ts'

export interface HeartbeatOptions {
	/** How often each socket is pinged. @default 20_000; 50_000 at most, since proxies cut at 55 s */
	readonly intervalMs?: number
	/** How long a socket may send or hold back without its buffer falling. @default 60_000 */
	readonly stalledMs?: number
	/** Milliseconds of a clock that never goes back. @default performance.now */
	readonly nowMs?: () => number
}

/** Why the heart of a socket stopped: no sign of the peer, or a peer that lives but takes nothing. */
export type HeartbeatEnd = 'silent' | 'stalled'

export interface HeartbeatListener {
	/** Each measured round trip, in milliseconds. */
	readonly onRtt?: (rttMs: number) => void
	/** Before the socket is closed for it. */
	readonly onDead?: (end: HeartbeatEnd) => void
}

/** Keeps many sockets alive on one timer; lets go of those that have closed. */
export interface Heartbeat {
	add(socket: NodeMessageSocket, listener?: HeartbeatListener): void
	remove(socket: NodeMessageSocket): void
	close(): void
}

interface Pulse {
	readonly socket: NodeMessageSocket
	readonly listener: HeartbeatListener | undefined
	slot: number
	receivedBytes: number
	pauses: number
	/** While something is buffered: how far the system had got at the last look. */
	drainMark: string
	movedAtMs: number
	pingedAtMs: number | undefined
}

/** The interval is cut into this many slots, so that pings of many sockets are spread over it. */
const SLOTS = 16
const NO_PAYLOAD = new Uint8Array(0)

/**
 * Pings sockets, measures round trips and drops those whose peer is gone: neither pong nor anything else within one
 * interval after a ping (the socket is terminated). While a socket is paused or has bytes to send, what counts is that
 * its buffer falls: when it hasn't for `stalledMs`, the socket is closed with 1013.
 */
export function createHeartbeat(options: HeartbeatOptions = {}): Heartbeat {
	const intervalMs = Math.min(options.intervalMs ?? LIMITS.pingMs, LIMITS.pingMaxMs)
	const stalledMs = options.stalledMs ?? LIMITS.stalledMs
	const nowMs = options.nowMs ?? (() => performance.now())
	const slots: Set<Pulse>[] = Array.from({ length: SLOTS }, () => new Set<Pulse>())
	const pulses = new Map<NodeMessageSocket, Pulse>()
	let current = 0

	const remove = (socket: NodeMessageSocket): void => {
		const pulse = pulses.get(socket)
		if (pulse === undefined) return
		pulses.delete(socket)
		slots[pulse.slot]?.delete(pulse)
		socket.onPong = undefined
	}
	const end = (pulse: Pulse, reason: HeartbeatEnd): void => {
		remove(pulse.socket)
		pulse.listener?.onDead?.(reason)
		if (reason === 'silent') pulse.socket.terminate()
		else pulse.socket.close(1013, 'the other side stopped reading')
	}
	const beat = (): void => {
		current = (current + 1) % SLOTS
		const now = nowMs()
		for (const pulse of slots[current] ?? []) {
			const verdict = judge(pulse, now, stalledMs)
			if (!pulse.socket.isOpen) remove(pulse.socket)
			else if (verdict === 'alive') probe(pulse, now)
			else end(pulse, verdict)
		}
	}
	const timer = setInterval(beat, intervalMs / SLOTS)
	timer.unref()

	return {
		add(socket, listener) {
			const now = nowMs()
			const pulse: Pulse = {
				socket,
				listener,
				slot: current,
				receivedBytes: -1,
				pauses: 0,
				drainMark: '',
				movedAtMs: now,
				pingedAtMs: undefined,
			}
			pulses.set(socket, pulse)
			slots[current]?.add(pulse)
			if (listener?.onRtt === undefined) return
			socket.onPong = () => measure(pulse, nowMs())
			pulse.pingedAtMs = now
			socket.ping(NO_PAYLOAD)
		},
		remove,
		close() {
			clearInterval(timer)
			for (const socket of [...pulses.keys()]) remove(socket)
		},
	}
}

/** Keeps one socket alive; stops by itself when the socket dies for it. Returns the stop. */
export function keepAlive(socket: NodeMessageSocket, options: HeartbeatOptions & HeartbeatListener = {}): () => void {
	const heartbeat = createHeartbeat(options)
	heartbeat.add(socket, {
		...(options.onRtt === undefined ? {} : { onRtt: options.onRtt }),
		onDead: (end) => {
			options.onDead?.(end)
			heartbeat.close()
		},
	})
	return () => heartbeat.close()
}

/** No answer can be expected of a socket that is not read, or behind a queue. */
function probe(pulse: Pulse, now: number): void {
	const canAnswer = !pulse.socket.isPaused && pulse.socket.bufferedBytes === 0
	pulse.pingedAtMs = canAnswer ? now : undefined
	if (canAnswer) pulse.socket.ping(NO_PAYLOAD)
}

function measure(pulse: Pulse, now: number): void {
	if (pulse.pingedAtMs === undefined) return
	pulse.listener?.onRtt?.(now - pulse.pingedAtMs)
	pulse.pingedAtMs = undefined
}

function judge(pulse: Pulse, now: number, stalledMs: number): 'alive' | HeartbeatEnd {
	const { socket } = pulse
	const isDraining = socket.bufferedBytes > 0
	const drainMark = isDraining ? socket.drainMark : ''
	if (!isDraining || drainMark !== pulse.drainMark) pulse.movedAtMs = now
	pulse.drainMark = drainMark
	const hasHeard = socket.receivedBytes !== pulse.receivedBytes
	pulse.receivedBytes = socket.receivedBytes
	const wasPaused = socket.isPaused || socket.pauses !== pulse.pauses
	pulse.pauses = socket.pauses
	if (isDraining && now - pulse.movedAtMs >= stalledMs) return 'stalled'
	// Whoever was not read since the last look may have answered; whether a queue falls was judged above.
	if (wasPaused || isDraining || hasHeard || pulse.pingedAtMs === undefined) return 'alive'
	return 'silent'
}
