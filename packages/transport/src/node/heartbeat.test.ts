import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createWebSocketAcceptor } from './accept.ts'
import { dialWebSocket } from './dial.ts'
import { createHeartbeat, keepAlive } from './heartbeat.ts'
import type { NodeMessageSocket } from './node-socket.ts'

interface Pair {
	readonly accepted: NodeMessageSocket
	readonly dialled: NodeMessageSocket
	readonly close: () => void
}

async function makePair(): Promise<Pair> {
	const acceptor = createWebSocketAcceptor({ maxMessageBytes: 70_000 })
	const server = createServer()
	const accepted = new Promise<NodeMessageSocket>((resolve) => {
		server.on('upgrade', (request, socket, head) => acceptor.accept(request, socket, head, resolve))
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	const dialled = await dialWebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`)
	const far = await accepted
	return {
		accepted: far,
		dialled,
		close: () => {
			far.terminate()
			dialled.terminate()
			server.close()
		},
	}
}

function closeOf(socket: NodeMessageSocket): Promise<number> {
	return new Promise((resolve) => {
		socket.setHandlers({ onText: () => {}, onBinary: () => {}, onClose: ({ code }) => resolve(code) })
	})
}

let pair: Pair
beforeEach(async () => {
	pair = await makePair()
	vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
	vi.useRealTimers()
	pair.close()
})

describe('a heartbeat', () => {
	it('measures the round trip of a live peer and leaves it open', async () => {
		let now = 0
		const rtt = new Promise<number>((resolve) => {
			keepAlive(pair.accepted, { intervalMs: 16_000, nowMs: () => now++, onRtt: resolve })
		})
		expect(await rtt).toBeGreaterThan(0)
		expect(pair.accepted.isOpen).toBe(true)
	})

	it('drops a peer of which nothing is heard for a whole interval after a ping', async () => {
		const dead = vi.fn()
		const closed = closeOf(pair.accepted)
		// A peer that reads nothing answers no ping.
		pair.dialled.pause()
		const heartbeat = createHeartbeat({ intervalMs: 16_000, nowMs: () => 0 })
		heartbeat.add(pair.accepted, { onDead: dead })
		vi.advanceTimersByTime(16_000)
		expect(dead).not.toHaveBeenCalled()
		vi.advanceTimersByTime(16_000)
		expect(dead).toHaveBeenCalledWith('silent')
		expect(await closed).toBe(1006)
		heartbeat.close()
	})

	it('closes a peer that takes nothing for 60 s with 1013', async () => {
		let now = 0
		const dead = vi.fn()
		const closed = closeOf(pair.accepted)
		pair.dialled.pause()
		for (let index = 0; index < 1024; index++) pair.accepted.sendBinary(new Uint8Array(60_000))
		const heartbeat = createHeartbeat({ intervalMs: 16_000, stalledMs: 60_000, nowMs: () => now })
		heartbeat.add(pair.accepted, { onDead: dead })
		for (now = 0; now < 96_000; now += 1000) vi.advanceTimersByTime(1000)
		expect(dead).toHaveBeenCalledWith('stalled')
		pair.dialled.resume()
		await closed
		heartbeat.close()
	})

	it('leaves alone a socket that this side has paused itself', () => {
		const dead = vi.fn()
		pair.accepted.pause()
		const heartbeat = createHeartbeat({ intervalMs: 16_000, nowMs: () => 0 })
		heartbeat.add(pair.accepted, { onDead: dead })
		vi.advanceTimersByTime(160_000)
		expect(dead).not.toHaveBeenCalled()
		heartbeat.close()
	})
})
