import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
// The suite is private to this repository; by path, since transport may not depend on what depends on it.
import { messageSocketSuite } from '../../../conformance/src/message-socket-suite.ts'
import { createWebSocketAcceptor } from '../node/accept.ts'
import type { NodeMessageSocket } from '../node/node-socket.ts'
import { RECORD_SOCKET_BYTES } from '../node/options.ts'
import { dialWebSocket } from './dial.ts'

// The platform's interface as `ws` implements it: Node 20 has no WebSocket of its own.
beforeAll(() => void vi.stubGlobal('WebSocket', WebSocket))
afterAll(() => void vi.unstubAllGlobals())

async function makePair() {
	const acceptor = createWebSocketAcceptor({ maxMessageBytes: RECORD_SOCKET_BYTES })
	const server = createServer()
	const accepted = new Promise<NodeMessageSocket>((resolve) => {
		server.on('upgrade', (request, socket, head) => acceptor.accept(request, socket, head, resolve))
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	const near = await dialWebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`)
	const far = await accepted
	const dispose = (): void => {
		near.terminate()
		far.terminate()
		server.close()
	}
	return { near, far, dispose }
}

messageSocketSuite('a browser socket', makePair, { canPause: true, droppedCode: 1005 })
messageSocketSuite(
	'a socket accepted from a browser',
	async () => {
		const { near, far, dispose } = await makePair()
		return { near: far, far: near, dispose }
	},
	{ canPause: false, droppedCode: 1006 },
)

describe('what browsers can and cannot do', () => {
	it('sends 1000 where the platform would refuse the code', async () => {
		const { near, far, dispose } = await makePair()
		const code = await new Promise<number>((resolve) => {
			far.setHandlers({ onText: () => undefined, onBinary: () => undefined, onClose: (close) => resolve(close.code) })
			near.close(1012, 'restarting')
		})
		expect(code).toBe(1000)
		dispose()
	})

	it('fails with a type when nothing listens, when it is given up, and when it takes too long', async () => {
		const { dispose, near } = await makePair()
		expect(near.isOpen).toBe(true)
		dispose()
		const silent = createServer()
		const held: Duplex[] = []
		silent.on('upgrade', (_request, socket: Duplex) => held.push(socket))
		silent.listen(0, '127.0.0.1')
		await once(silent, 'listening')
		const url = `ws://127.0.0.1:${(silent.address() as AddressInfo).port}/`
		await expect(dialWebSocket(url, { timeoutMs: 30 })).rejects.toMatchObject({ code: 'DIAL_TIMEOUT' })
		const given = new AbortController()
		const dial = dialWebSocket(url, { signal: given.signal })
		given.abort()
		await expect(dial).rejects.toMatchObject({ code: 'DIAL_ABORTED' })
		for (const socket of held) socket.destroy()
		await new Promise((resolve) => silent.close(resolve))
		await expect(dialWebSocket(url)).rejects.toMatchObject({ code: 'DIAL_FAILED', retry: true })
		await expect(dialWebSocket('nonsense')).rejects.toMatchObject({ code: 'DIAL_URL_INVALID' })
	})
})
