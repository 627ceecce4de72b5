import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { CLOSE } from '@sallyport/protocol'
import type { MessageSocket, MessageSocketHandlers } from '@sallyport/transport'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EdgeRig, Talker } from '../../test/edge-rig.ts'
import { createEdgeRig } from '../../test/edge-rig.ts'
import { splice } from './splice.ts'

const MIB = 1024 * 1024

let rig: EdgeRig
beforeEach(async () => {
	rig = await createEdgeRig()
})
afterEach(() => rig.close())

async function linked(): Promise<{ client: Talker; agentEnd: Talker }> {
	const node = rig.addNode('box', rig.control.addUser('ann'))
	return rig.link('ann', node, await rig.agent(node))
}

/** Sends until all is sent, as a peer that minds its own buffer does. */
function pump(from: Talker, message: (index: number) => Uint8Array, count: number): { sent: number } {
	const progress = { sent: 0 }
	const go = (): void => {
		while (progress.sent < count && from.socket.isOpen) {
			from.socket.sendBinary(message(progress.sent++))
			if (from.socket.bufferedBytes > MIB) return from.socket.onceDrained(MIB / 4, go)
		}
		return undefined
	}
	go()
	return progress
}

/** Waits until nothing has moved for a while: everything on the way is full. */
async function untilStill(progress: { sent: number }): Promise<void> {
	for (let last = -1, stillSince = performance.now(); performance.now() - stillSince < 250; await nextTurn()) {
		if (progress.sent !== last) stillSince = performance.now()
		last = progress.sent
	}
}

describe('a splice whose reader has stopped', () => {
	it('holds the sender back with bounded memory, and loses no byte of 256 MiB when the reader goes on', async () => {
		const { client, agentEnd } = await linked()
		const count = 4096
		const block = Buffer.alloc(count + 65_535)
		for (let index = 0; index < block.length; index++) block[index] = (index * 2654435761) >>> 24
		const message = (index: number): Uint8Array => block.subarray(index, index + 65_535)
		client.socket.pause()
		const before = process.memoryUsage().rss
		const progress = pump(agentEnd, message, count)
		await untilStill(progress)
		const stuck = progress.sent
		expect(stuck).toBeLessThan(count / 4)
		expect(process.memoryUsage().rss - before).toBeLessThan(32 * MIB)
		const [received, sent] = [createHash('sha256'), createHash('sha256')]
		for (let index = 0; index < count; index++) sent.update(message(index))
		await new Promise<void>((resolve) => {
			let messages = 0
			client.socket.setHandlers({
				onText: () => undefined,
				onBinary: (bytes) => {
					received.update(bytes)
					if (++messages === count) resolve()
				},
				onClose: () => resolve(),
			})
			client.socket.resume()
		})
		expect(received.digest('hex')).toBe(sent.digest('hex'))
	})

	it('holds a flood of one-byte messages back as well: each costs more than its byte', async () => {
		const { client, agentEnd } = await linked()
		client.socket.pause()
		const before = process.memoryUsage().rss
		const progress = pump(agentEnd, () => Uint8Array.of(7), 4_000_000)
		await untilStill(progress)
		expect(progress.sent).toBeLessThan(4_000_000)
		expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB)
	})

	it('is cut with 1013 when the buffer does not fall', async () => {
		await rig.close()
		rig = await createEdgeRig({ pingMs: 160, stalledMs: 300 })
		const { client, agentEnd } = await linked()
		client.socket.pause()
		pump(agentEnd, () => new Uint8Array(60_000), 100_000)
		expect((await agentEnd.closed()).code).toBe(1013)
		expect(rig.edge.view.totals().linksOpen).toBe(0)
	})

	it('lives as long as the buffer falls, however slowly', async () => {
		await rig.close()
		rig = await createEdgeRig({ pingMs: 160, stalledMs: 400 })
		const { client, agentEnd } = await linked()
		pump(agentEnd, () => new Uint8Array(60_000), 2000)
		// Reads a little of what has come in each turn of its own, for three times the limit.
		const since = performance.now()
		while (performance.now() - since < 1200) {
			client.socket.resume()
			await nextTurn()
			client.socket.pause()
			await new Promise((resolve) => setTimeout(resolve, 50))
		}
		expect([client.socket.isOpen, agentEnd.socket.isOpen]).toEqual([true, true])
	})

	it('gets what was sent before the other side closed, and then its code', async () => {
		const { client, agentEnd } = await linked()
		client.socket.pause()
		for (let index = 0; index < 100; index++) agentEnd.socket.sendBinary(new Uint8Array(60_000))
		await new Promise<void>((resolve) => agentEnd.socket.onceDrained(0, resolve))
		agentEnd.socket.close(4412, 'done')
		await agentEnd.closed()
		client.socket.resume()
		expect(await client.closed()).toEqual({ code: 4412, reason: 'done' })
		expect(client.binaries.length).toBe(100)
	})
})

/** A socket that takes what it is given only when told to. */
class HeldSocket implements MessageSocket {
	bufferedBytes = 0
	readonly isOpen = true
	readonly closes: number[] = []
	handlers: MessageSocketHandlers | undefined
	drain: (() => void) | undefined
	setHandlers(handlers: MessageSocketHandlers): void {
		this.handlers = handlers
	}
	sendText(): void {}
	sendBinary(bytes: Uint8Array): void {
		this.bufferedBytes += bytes.length
	}
	onceDrained(_bytes: number, callback: () => void): void {
		this.drain = callback
	}
	pause(): void {}
	resume(): void {}
	close(code: number): void {
		this.closes.push(code)
	}
	terminate(): void {}
}

describe('a splice of which one side has closed', () => {
	const drained = () => {
		const [client, node] = [new HeldSocket(), new HeldSocket()]
		const ends: number[] = []
		const joined = splice(client, node, { onEnd: (code) => ends.push(code) })
		node.handlers?.onBinary(new Uint8Array(10))
		node.handlers?.onClose({ code: 1006, reason: '' })
		return { client, ends, joined }
	}

	it('is not over before what was sent has left; 1006 becomes a code that can be sent', () => {
		const { client, ends } = drained()
		expect([ends, client.closes]).toEqual([[], []])
		client.drain?.()
		expect([ends, client.closes]).toEqual([[1006], [1001]])
	})

	it('can still be cut', () => {
		const { client, ends, joined } = drained()
		joined.close(CLOSE.credentialExpired)
		client.drain?.()
		expect([ends, client.closes]).toEqual([[4401], [4401]])
	})

	it('is over when the other side closes as well', () => {
		const { client, ends } = drained()
		client.handlers?.onClose({ code: 1000, reason: '' })
		client.drain?.()
		expect([ends, client.closes]).toEqual([[1000], []])
	})
})
