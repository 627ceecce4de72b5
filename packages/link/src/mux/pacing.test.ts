/** Two machines over a path with a rate and a delay, whose queue would take anything: what is in it is the pacer's doing. */
import { expect, test } from 'vitest'
import type { LinkMachine } from './link-machine.ts'
import { createLinkMachine } from './link-machine.ts'

interface Path {
	readonly bytesPerMs: number
	readonly delayMs: number
	/** Added to some arrivals, as radio links do; order is kept. */
	readonly jitterMs?: number
}

interface Arrival {
	readonly atMs: number
	readonly to: LinkMachine
	readonly record: Uint8Array
}

class Simulation {
	nowMs = 0
	readonly client = createLinkMachine({ role: 'client' })
	readonly node = createLinkMachine({ role: 'node' })
	readonly received = new Map<number, number>()
	answers = 0
	#path: Path
	#queue: Arrival[] = []
	#busyUntilMs = { client: 0, node: 0 }
	#lastArrivalMs = { client: 0, node: 0 }
	#count = 0
	readonly #full = new Set<number>()
	readonly uploads: readonly number[]
	readonly #terminal: number
	/** Time of each arrival of interactive data at the node. */
	readonly #arrivals: number[] = []

	constructor(path: Path, uploads: number) {
		this.#path = path
		this.client.connectionUp(0)
		this.node.connectionUp(0)
		this.#terminal = this.client.openStream({ kind: 'shell', class: 'interactive', cols: 80, rows: 24 }) ?? 0
		this.uploads = Array.from({ length: uploads }, () => this.client.openStream({ kind: 'tcp', class: 'bulk' }) ?? 0)
	}

	/** Changes the path under the connection. */
	setPath(path: Path): void {
		this.#path = path
	}

	run(forMs: number): void {
		const untilMs = this.nowMs + forMs
		for (;;) {
			this.#pump()
			const next = this.#queue[0]
			const timeouts = [this.client, this.node].map((machine) => machine.nextTimeoutMs() ?? Number.POSITIVE_INFINITY)
			const atMs = Math.min(next?.atMs ?? Number.POSITIVE_INFINITY, Math.max(this.nowMs, Math.min(...timeouts)))
			if (atMs > untilMs) break
			this.nowMs = atMs
			if (next === undefined || next.atMs > atMs) continue
			this.#queue.shift()
			expect(next.to.receiveRecord(next.record, atMs)).toMatchObject({ ok: true })
		}
		this.nowMs = untilMs
	}

	/** Types a key, runs on, and returns how long the key took to the node. */
	waitForKey(forMs: number): number {
		const pressedMs = this.nowMs
		const seen = this.#arrivals.length
		this.client.sendData(this.#terminal, Uint8Array.of(97))
		this.run(forMs)
		return (this.#arrivals[seen] ?? Number.POSITIVE_INFINITY) - pressedMs
	}

	total(): number {
		return this.uploads.reduce((sum, id) => sum + (this.received.get(id) ?? 0), 0)
	}

	#pump(): void {
		for (const id of this.uploads) {
			while (!this.#full.has(id)) if (!this.client.sendData(id, new Uint8Array(64 * 1024))) this.#full.add(id)
		}
		this.#events()
		this.#send('client', this.client, this.node, this.#path.bytesPerMs)
		this.#send('node', this.node, this.client, Number.POSITIVE_INFINITY)
		this.#events()
	}

	#send(name: 'client' | 'node', from: LinkMachine, to: LinkMachine, bytesPerMs: number): void {
		for (let record = from.pollRecord(this.nowMs); record !== undefined; record = from.pollRecord(this.nowMs)) {
			if (name === 'node') this.answers++
			const { delayMs, jitterMs = 0 } = this.#path
			this.#busyUntilMs[name] = Math.max(this.nowMs, this.#busyUntilMs[name]) + record.length / bytesPerMs
			const late = ((this.#count++ * 7) % 11) / 10
			const atMs = Math.max(this.#lastArrivalMs[name], this.#busyUntilMs[name] + delayMs + late * jitterMs)
			this.#lastArrivalMs[name] = atMs
			this.#queue.push({ atMs, to, record })
		}
		this.#queue.sort((left, right) => left.atMs - right.atMs)
	}

	#events(): void {
		for (let event = this.node.pollEvent(); event !== undefined; event = this.node.pollEvent()) {
			if (event.kind !== 'data') continue
			if (event.streamId === this.#terminal) this.#arrivals.push(this.nowMs)
			this.received.set(event.streamId, (this.received.get(event.streamId) ?? 0) + event.bytes.length)
			this.node.consume(event.streamId, event.bytes.length)
		}
		for (let event = this.client.pollEvent(); event !== undefined; event = this.client.pollEvent())
			if (event.kind === 'drained') this.#full.delete(event.streamId)
	}
}

const MB = 1000 // bytes per millisecond in a megabyte per second

test.each([
	{ name: 'a slow line', path: { bytesPerMs: MB, delayMs: 25 }, warmUpMs: 2000, worstMs: 80 },
	{ name: 'broadband', path: { bytesPerMs: 10 * MB, delayMs: 10 }, warmUpMs: 1000, worstMs: 25 },
	{ name: 'a long way', path: { bytesPerMs: 20 * MB, delayMs: 75 }, warmUpMs: 3000, worstMs: 150 },
	{ name: 'a local network', path: { bytesPerMs: 110 * MB, delayMs: 0.2 }, warmUpMs: 100, worstMs: 3 },
	{ name: 'loopback', path: { bytesPerMs: 400 * MB, delayMs: 0.05 }, warmUpMs: 100, worstMs: 3 },
	{ name: 'radio', path: { bytesPerMs: 5 * MB, delayMs: 5, jitterMs: 10 }, warmUpMs: 1000, worstMs: 60 },
])('fills $name with an upload, and a key pressed meanwhile is not held up', ({ path, warmUpMs, worstMs }) => {
	const simulation = new Simulation(path, 1)
	simulation.run(warmUpMs)
	const before = { bytes: simulation.total(), ms: simulation.nowMs }
	const waits = Array.from({ length: 20 }, () => simulation.waitForKey(2 * worstMs))
	const rate = (simulation.total() - before.bytes) / (simulation.nowMs - before.ms)
	expect(rate / path.bytesPerMs).toBeGreaterThan(0.95)
	expect(Math.max(...waits)).toBeLessThan(worstMs)
})

test('finds the rate again when the path gets faster, and the round trip when it gets longer', () => {
	const simulation = new Simulation({ bytesPerMs: 2 * MB, delayMs: 5 }, 1)
	simulation.run(2000)
	simulation.setPath({ bytesPerMs: 20 * MB, delayMs: 40 })
	// The lowest round trip is taken for true for 20 s, then measured anew with little in flight.
	simulation.run(35_000)
	const before = simulation.total()
	simulation.run(2000)
	expect((simulation.total() - before) / 2000 / (20 * MB)).toBeGreaterThan(0.95)
	expect(simulation.client.stats().lowestRttMs).toBeGreaterThan(80)
	expect(simulation.client.stats().maxBytesInFlight).toBeLessThan(2.1 * 80 * 20 * MB)
})

test('shares the line evenly between uploads', () => {
	const simulation = new Simulation({ bytesPerMs: 10 * MB, delayMs: 10 }, 4)
	simulation.run(3000)
	const shares = simulation.uploads.map((id) => (simulation.received.get(id) ?? 0) / simulation.total())
	for (const share of shares) expect(share).toBeCloseTo(0.25, 1)
})

test('acks bulk seldom', () => {
	const simulation = new Simulation({ bytesPerMs: 350 * MB, delayMs: 0.1 }, 1)
	simulation.run(200)
	const before = simulation.answers
	simulation.run(200)
	expect((simulation.answers - before) / 200).toBeLessThan(5)
})
