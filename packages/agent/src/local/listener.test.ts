import { connect } from 'node:net'
import type { MessageSocket } from '@sallyport/transport'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { World } from '../testing/world.fixture.ts'

let world: World
beforeEach(async () => {
	world = await World.make({ isEnrolled: false })
})
afterEach(() => world.close())

/** A page of another site, or a name that was made to point here, over a connection that it never ends by itself. */
async function refusedUpgrade(headers: string) {
	const port = world.agent.status().listener?.port ?? 0
	const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
	socket.on('error', () => undefined)
	let answer = ''
	socket.on('data', (bytes) => {
		answer += bytes.toString()
	})
	const ended = new Promise<void>((resolve) => {
		socket.once('end', () => resolve())
	})
	socket.write(`GET /api/web/ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${headers}\r\n\r\n`)
	await ended
	return { socket, answer }
}

describe('the own listener', () => {
	it('lets go of a connection that it refused, also when the peer keeps its half open', async () => {
		const { socket, answer } = await refusedUpgrade('Host: rebound.example')
		expect(answer).toMatch(/^HTTP\/1\.1 403 /)
		// A listener ends only when all its connections are gone.
		await world.agent.close()
		expect(socket.destroyed).toBe(false)
		socket.destroy()
	})

	it('holds no more strangers in their handshake than its limit', async () => {
		const sockets: MessageSocket[] = []
		while (sockets.length < 256) sockets.push(...(await Promise.all(Array.from({ length: 32 }, () => world.direct()))))
		const one = await world.direct()
		const code = await new Promise<number>((resolve) => {
			one.setHandlers({ onText: () => undefined, onBinary: () => undefined, onClose: (close) => resolve(close.code) })
		})
		expect(code).toBe(4429)
		for (const socket of sockets) socket.terminate()
	})
})
