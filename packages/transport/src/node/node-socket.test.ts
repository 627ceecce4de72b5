import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
// The suite is private to this repository; by path, since transport may not depend on what depends on it.
import { messageSocketSuite } from '../../../conformance/src/message-socket-suite.ts'
import { createWebSocketAcceptor } from './accept.ts'
import { dialWebSocket } from './dial.ts'
import type { NodeMessageSocket } from './node-socket.ts'
import { RECORD_SOCKET_BYTES } from './options.ts'

async function makePair() {
	const acceptor = createWebSocketAcceptor({ maxMessageBytes: RECORD_SOCKET_BYTES })
	const server = createServer()
	const accepted = new Promise<NodeMessageSocket>((resolve) => {
		server.on('upgrade', (request, socket, head) => acceptor.accept(request, socket, head, resolve))
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	const { port } = server.address() as AddressInfo
	const near = await dialWebSocket(`ws://127.0.0.1:${port}/`)
	const far = await accepted
	return {
		near,
		far,
		dispose: () => {
			near.terminate()
			far.terminate()
			server.close()
		},
	}
}

messageSocketSuite('a dialled Node socket', makePair, { canPause: true, droppedCode: 1006 })
messageSocketSuite(
	'an accepted Node socket',
	async () => {
		const pair = await makePair()
		return { ...pair, near: pair.far, far: pair.near }
	},
	{ canPause: true, droppedCode: 1006 },
)

describe('limits of a Node socket', () => {
	it('ends with 1009 on a message above the limit, which is not delivered', async () => {
		const { near, far, dispose } = await makePair()
		const messages: unknown[] = []
		const close = await new Promise<number>((resolve) => {
			far.setHandlers({
				onText: (text) => messages.push(text),
				onBinary: (bytes) => messages.push(bytes),
				onClose: () => {},
			})
			near.setHandlers({ onText: () => {}, onBinary: () => {}, onClose: ({ code }) => resolve(code) })
			near.sendBinary(new Uint8Array(RECORD_SOCKET_BYTES + 1))
		})
		expect(close).toBe(1009)
		expect(messages).toEqual([])
		dispose()
	})

	it('cuts a reason to what a close frame holds instead of failing', async () => {
		const { near, far, dispose } = await makePair()
		const reason = await new Promise<string>((resolve) => {
			far.setHandlers({ onText: () => {}, onBinary: () => {}, onClose: (close) => resolve(close.reason) })
			near.close(4400, 'é'.repeat(200))
		})
		expect(reason).toMatch(/^é+…$/)
		expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123)
		dispose()
	})

	it('tells apart a system that takes bytes and one that has stopped', async () => {
		const { near, far, dispose } = await makePair()
		far.pause()
		for (let index = 0; index < 1024; index++) near.sendBinary(new Uint8Array(60_000))
		const stopped = near.drainMark
		expect(near.drainMark).toBe(stopped)
		far.setHandlers({ onText: () => {}, onBinary: () => {}, onClose: () => {} })
		far.resume()
		await new Promise<void>((resolve) => near.onceDrained(0, resolve))
		expect(near.drainMark).not.toBe(stopped)
		dispose()
	})
})
