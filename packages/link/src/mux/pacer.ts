/** Bulk may always have this much in flight. */
export const MIN_IN_FLIGHT_BYTES = 64 * 1024
const GAIN = 1.5
/** Round trips below it count as that long: clocks are coarse, and a millisecond of queue hurts nobody. */
const MIN_RTT_MS = 1
/** Rates over less time say little. */
const MIN_EPOCH_MS = 4
const SAMPLES = 10
const PING_EVERY_MS = 10_000
/** After that long without a round trip as low, the lowest is measured anew, with little in flight. */
const RTT_STALE_MS = 20_000

/**
 * How much bulk may be in flight on this connection: `max(64 KiB, 1.5 x bandwidth x lowest round trip)`, so that it
 * fills the path and not the queues on it. Bandwidth is the highest rate of acks over the last ten epochs (of a round
 * trip each) in which pacing was the limit; the round trip is measured by `ping`. Where acks come in clumps (radio, or a
 * peer that acks seldom) the gain is up to 2, or the line would stand idle between two clumps.
 *
 * ```
 * measuring --lowest round trip is stale, bulk is waiting--> draining (64 KiB in flight)
 *     ^--------------------- pong of a ping sent while drained --------'
 * ```
 */
export class Pacer {
	#lowestRttMs: number | undefined
	#lowestAtMs = 0
	#smoothRttMs: number | undefined
	#ping: { readonly token: number; readonly sentMs: number; readonly isDrained: boolean } | undefined
	#nextToken = 1
	#lastPingMs = Number.NEGATIVE_INFINITY
	#isDraining = false
	#isProbeWanted = false

	readonly #rates = new RecentMax()
	readonly #clumps = new RecentMax()
	#clumpStartMs = 0
	#clumpStartBytes = 0
	#largestClump = 0
	#bandwidth = 0
	#epochStartMs = 0
	#epochStartBytes = 0
	#idleSinceMs: number | undefined
	#wasLimited = false

	/** Smoothed, for display. */
	get rttMs(): number | undefined {
		return this.#smoothRttMs
	}

	/** Lowest lately, and never so low that a coarse clock could have made it up. */
	get lowestRttMs(): number {
		return Math.max(MIN_RTT_MS, this.#lowestRttMs ?? 0)
	}

	get bandwidthBytesPerMs(): number {
		return this.#bandwidth
	}

	get maxInFlightBytes(): number {
		if (this.#isDraining) return MIN_IN_FLIGHT_BYTES
		const pathBytes = this.#bandwidth * this.lowestRttMs
		const clumpBytes = Math.min(this.#clumps.max, pathBytes)
		return Math.max(MIN_IN_FLIGHT_BYTES, Math.floor(Math.max(GAIN * pathBytes, pathBytes + clumpBytes)))
	}

	/** Another path: nothing measured before holds. */
	restart(nowMs: number, acked: number): void {
		this.#startEpoch(nowMs, acked)
		this.#clumpStartMs = nowMs
		this.#clumpStartBytes = acked
		this.#idleSinceMs = nowMs
		this.#lowestRttMs = undefined
		this.#smoothRttMs = undefined
		this.#ping = undefined
		this.#lastPingMs = Number.NEGATIVE_INFINITY
		this.#isDraining = false
		this.#isProbeWanted = false
		this.#rates.clear()
		this.#clumps.clear()
		this.#bandwidth = 0
	}

	/** Sequenced bytes go out. Time in which there were none to ack says nothing about the path. */
	sending(nowMs: number): void {
		if (this.#idleSinceMs === undefined) return
		this.#epochStartMs += nowMs - this.#idleSinceMs
		this.#clumpStartMs += nowMs - this.#idleSinceMs
		this.#idleSinceMs = undefined
	}

	/** Bulk waits for acks. */
	limited(nowMs: number): void {
		this.#wasLimited = true
		if (this.#lowestRttMs !== undefined && nowMs - this.#lowestAtMs > RTT_STALE_MS) this.#isDraining = true
	}

	/** The peer has `acked` bytes in all, and `inFlight` are still under way. */
	acked(nowMs: number, acked: number, inFlight: number): void {
		if (inFlight === 0) this.#idleSinceMs ??= nowMs
		this.#countClump(nowMs, acked)
		const tookMs = nowMs - this.#epochStartMs
		if (tookMs < Math.max(MIN_EPOCH_MS, this.lowestRttMs)) return
		const rate = (acked - this.#epochStartBytes) / tookMs
		if (this.#wasLimited || rate > this.#bandwidth) {
			this.#rates.push(rate)
			this.#clumps.push(this.#largestClump)
			this.#bandwidth = this.#rates.max
		}
		this.#startEpoch(nowMs, acked)
	}

	/** A ping is worth a record of its own: nothing is known of this path, or the driver asks whether it is alive. */
	get isPingUrgent(): boolean {
		return this.#isProbeWanted || (this.#ping === undefined && this.#lowestRttMs === undefined)
	}

	/** Sends a ping with the next record, whatever was sent before. */
	probe(): void {
		this.#isProbeWanted = true
	}

	/** The token of a ping that should go with a record that goes out now. */
	takePing(nowMs: number, inFlight: number): number | undefined {
		const isDrained = this.#isDraining && inFlight <= MIN_IN_FLIGHT_BYTES
		const isTime = isDrained || nowMs - this.#lastPingMs >= PING_EVERY_MS
		if (!this.#isProbeWanted && (this.#ping !== undefined || !isTime)) return undefined
		this.#isProbeWanted = false
		this.#lastPingMs = nowMs
		this.#ping = { token: this.#nextToken++, sentMs: nowMs, isDrained }
		return this.#ping.token
	}

	/** The round trip, if it was our ping that was answered. */
	pong(token: number, nowMs: number): number | undefined {
		const ping = this.#ping
		if (ping === undefined || ping.token !== token) return undefined
		this.#ping = undefined
		const rttMs = nowMs - ping.sentMs
		this.#smoothRttMs = this.#smoothRttMs === undefined ? rttMs : this.#smoothRttMs * 0.875 + rttMs * 0.125
		if (ping.isDrained || this.#lowestRttMs === undefined || rttMs <= this.#lowestRttMs) {
			this.#lowestRttMs = rttMs
			this.#lowestAtMs = nowMs
		}
		if (ping.isDrained) this.#isDraining = false
		return rttMs
	}

	#startEpoch(nowMs: number, acked: number): void {
		this.#epochStartMs = nowMs
		this.#epochStartBytes = acked
		this.#wasLimited = false
		this.#largestClump = 0
	}

	/** How far acks run ahead of the bandwidth, having been held up before. */
	#countClump(nowMs: number, acked: number): void {
		const ahead = acked - this.#clumpStartBytes - this.#bandwidth * (nowMs - this.#clumpStartMs)
		this.#largestClump = Math.max(this.#largestClump, ahead)
		if (ahead > 0) return
		this.#clumpStartMs = nowMs
		this.#clumpStartBytes = acked
	}
}

/** The highest of the last few samples. */
class RecentMax {
	#samples: number[] = []
	#max = 0

	get max(): number {
		return this.#max
	}

	push(sample: number): void {
		this.#samples = [...this.#samples, sample].slice(-SAMPLES)
		this.#max = Math.max(...this.#samples)
	}

	clear(): void {
		this.#samples = []
		this.#max = 0
	}
}
