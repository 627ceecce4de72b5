import { expect, test } from 'vitest'
import type { LinkMachine } from './link-machine.ts'
import { createLinkMachine } from './link-machine.ts'

/** Passes all that one side has to say; returns how many records that were. */
function pass(from: LinkMachine, to: LinkMachine, nowMs: number): number {
	let count = 0
	for (let record = from.pollRecord(nowMs); record !== undefined; record = from.pollRecord(nowMs)) {
		expect(to.receiveRecord(record, nowMs)).toMatchObject({ ok: true })
		count++
	}
	return count
}

function consumeAll(machine: LinkMachine): void {
	for (let event = machine.pollEvent(); event !== undefined; event = machine.pollEvent()) {
		if (event.kind === 'data') machine.consume(event.streamId, event.bytes.length)
	}
}

/** A link on which 512 KiB a millisecond have gone for a while, so that much may be in flight. */
function busyLink() {
	const client = createLinkMachine({ role: 'client' })
	const node = createLinkMachine({ role: 'node' })
	client.connectionUp(0)
	node.connectionUp(0)
	const upload = client.openStream({ kind: 'tcp', class: 'bulk' }) ?? 0
	let nowMs = 0
	for (let round = 0; round < 60; round++) {
		client.sendData(upload, new Uint8Array(512 * 1024))
		do {
			nowMs += 0.5
			consumeAll(node)
			pass(node, client, nowMs)
		} while (pass(client, node, nowMs) > 0)
	}
	while (client.stats().queuedBytes + client.stats().bytesInFlight > 0) {
		nowMs += 5
		pass(client, node, nowMs)
		consumeAll(node)
		pass(node, client, nowMs)
	}
	return { client, node, upload, nowMs }
}

test('a short piece of bulk waits while much is on its way, and goes with the next ack', () => {
	const { client, node, upload, nowMs } = busyLink()
	client.sendData(upload, new Uint8Array(200_000))
	const flying: Uint8Array[] = []
	for (let record = client.pollRecord(nowMs); record !== undefined; record = client.pollRecord(nowMs)) flying.push(record)
	expect(client.stats().bytesInFlight).toBeGreaterThanOrEqual(2 * 65_519)
	client.sendData(upload, new Uint8Array(1000))
	expect(client.pollRecord(nowMs)).toBeUndefined()
	for (const record of flying) node.receiveRecord(record, nowMs + 1)
	consumeAll(node)
	pass(node, client, nowMs + 11)
	pass(client, node, nowMs + 11)
	expect(client.stats().queuedBytes).toBe(0)
})

test('a short piece goes at once when little is on its way, and a keystroke always', () => {
	const { client, upload, nowMs } = busyLink()
	client.sendData(upload, new Uint8Array(1000))
	expect(client.pollRecord(nowMs)).toBeDefined()
	client.sendData(upload, new Uint8Array(200_000))
	while (client.pollRecord(nowMs) !== undefined);
	const waiting = client.stats().queuedBytes
	expect(waiting).toBeGreaterThan(0)
	const terminal = client.openStream({ kind: 'shell', class: 'interactive', cols: 80, rows: 24 }) ?? 0
	client.sendData(terminal, Uint8Array.of(97))
	client.pollRecord(nowMs)
	expect(client.stats().queuedBytes).toBe(waiting)
})
