/**
 * How fast the multiplexer alone is: one process, two machines, no sockets, no crypto. Both ends' work is counted, so a
 * real end has about twice the figure to itself. Run:
 *
 *   npx esbuild bench/link-machine.ts --bundle --platform=node --format=esm --conditions=@sallyport/source \
 *     --outfile=/tmp/link-machine.mjs && node /tmp/link-machine.mjs
 */
import { createLinkMachine, type LinkMachine } from '@sallyport/link'

const GIB = 1024 ** 3
const CHUNK = new Uint8Array(64 * 1024).fill(7)

function connect(): { client: LinkMachine; node: LinkMachine } {
	const client = createLinkMachine({ role: 'client' })
	const node = createLinkMachine({ role: 'node' })
	client.connectionUp(performance.now())
	node.connectionUp(performance.now())
	return { client, node }
}

interface Counts {
	records: number
	small: number
}

function exchange(from: LinkMachine, to: LinkMachine, counts: Counts, maxRecords: number): boolean {
	let moved = 0
	for (; moved < maxRecords; moved++) {
		const record = from.pollRecord(performance.now())
		if (record === undefined) break
		counts.records++
		if (record.length < 1024) counts.small++
		const result = to.receiveRecord(record, performance.now())
		if (!result.ok) throw new Error(result.error.detail)
	}
	return moved > 0
}

/** Client to node over `streamCount` bulk streams. */
function bulk(streamCount: number, totalBytes: number, maxRecords: number): void {
	const { client, node } = connect()
	const ids = Array.from({ length: streamCount }, () => client.openStream({ kind: 'tcp', class: 'bulk' }) ?? 0)
	const forth: Counts = { records: 0, small: 0 }
	const back: Counts = { records: 0, small: 0 }
	let received = 0
	const writable = new Set(ids)
	const started = performance.now()
	while (received < totalBytes) {
		for (const id of writable) {
			while (client.sendData(id, CHUNK));
			writable.delete(id)
		}
		exchange(client, node, forth, maxRecords)
		for (let event = node.pollEvent(); event !== undefined; event = node.pollEvent()) {
			if (event.kind !== 'data') continue
			received += event.bytes.length
			node.consume(event.streamId, event.bytes.length)
		}
		exchange(node, client, back, maxRecords)
		for (let event = client.pollEvent(); event !== undefined; event = client.pollEvent())
			if (event.kind === 'drained') writable.add(event.streamId)
	}
	const seconds = (performance.now() - started) / 1000
	const stats = client.stats()
	console.log(
		`bulk, ${streamCount} stream(s), ${maxRecords} record(s) a turn: ${(received / seconds / 1e6).toFixed(0)} MB/s, ` +
			`${(forth.records / (received / 1e6)).toFixed(1)} records and ${(back.records / (received / 1e6)).toFixed(2)} answers a MB, ` +
			`limit in flight ${(stats.maxBytesInFlight / 1024).toFixed(0)} KiB, round trip ${stats.lowestRttMs.toFixed(2)} ms`,
	)
}

function echo(count: number): void {
	const { client, node } = connect()
	const id = client.openStream({ kind: 'shell', class: 'interactive', cols: 80, rows: 24 }) ?? 0
	const counts: Counts = { records: 0, small: 0 }
	const started = performance.now()
	for (let index = 0; index < count; index++) {
		client.sendData(id, Uint8Array.of(97))
		exchange(client, node, counts, 10)
		for (let event = node.pollEvent(); event !== undefined; event = node.pollEvent()) {
			if (event.kind !== 'data') continue
			node.consume(id, event.bytes.length)
			node.sendData(id, event.bytes)
		}
		exchange(node, client, counts, 10)
		for (let event = client.pollEvent(); event !== undefined; event = client.pollEvent())
			if (event.kind === 'data') client.consume(id, event.bytes.length)
	}
	const micros = ((performance.now() - started) * 1000) / count
	console.log(`echo of one byte: ${micros.toFixed(1)} µs in both machines, ${(counts.records / count).toFixed(2)} records`)
}

bulk(1, GIB / 2, 1000)
bulk(1, 2 * GIB, 1000)
bulk(1, 2 * GIB, 1)
bulk(16, 2 * GIB, 1000)
echo(20_000)
echo(100_000)
