import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { TransportError } from '../errors.ts'
import { dialWebSocket } from './dial.ts'

const servers: Server[] = []
afterEach(() => {
	for (const server of servers.splice(0)) server.close()
})

async function listening(server: Server): Promise<number> {
	servers.push(server)
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	return (server.address() as AddressInfo).port
}

async function failure(dial: Promise<unknown>): Promise<TransportError> {
	const error = await dial.then(
		() => new Error('the dial succeeded'),
		(cause: unknown) => cause,
	)
	expect(error).toBeInstanceOf(TransportError)
	return error as TransportError
}

describe('a dial that fails', () => {
	it('says refused when nothing listens, and that a retry may help', async () => {
		const server = createTcpServer()
		const port = await listening(server)
		await new Promise((resolve) => server.close(resolve))
		expect(await failure(dialWebSocket(`ws://127.0.0.1:${port}/x?secret=1`))).toMatchObject({ code: 'DIAL_REFUSED', retry: true })
	})

	it('says which name is unknown', async () => {
		expect((await failure(dialWebSocket('ws://no-such-host.invalid/'))).code).toBe('DIAL_DNS')
	})

	it('gives the HTTP status, and whether it may pass', async () => {
		const port = await listening(createServer((_request, response) => response.writeHead(403).end()))
		const busy = await listening(createServer((_request, response) => response.writeHead(503).end()))
		expect(await failure(dialWebSocket(`ws://127.0.0.1:${port}/`))).toMatchObject({
			code: 'DIAL_HTTP_STATUS',
			status: 403,
			retry: false,
		})
		expect(await failure(dialWebSocket(`ws://127.0.0.1:${busy}/`))).toMatchObject({ status: 503, retry: true })
	})

	it('follows no redirect', async () => {
		const port = await listening(
			createServer((_request, response) => response.writeHead(302, { location: 'ws://127.0.0.1:1/' }).end()),
		)
		expect(await failure(dialWebSocket(`ws://127.0.0.1:${port}/`))).toMatchObject({ code: 'DIAL_HTTP_STATUS', status: 302 })
	})

	it('gives up on a server that says nothing', async () => {
		const port = await listening(createTcpServer(() => {}))
		expect((await failure(dialWebSocket(`ws://127.0.0.1:${port}/`, { timeoutMs: 50 }))).code).toBe('DIAL_TIMEOUT')
	})

	it('says tls when the server speaks none', async () => {
		const port = await listening(createTcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
		expect((await failure(dialWebSocket(`wss://127.0.0.1:${port}/`))).code).toBe('DIAL_TLS')
	})

	it('stops when its signal does, before and during', async () => {
		const port = await listening(createTcpServer(() => {}))
		const controller = new AbortController()
		const dial = failure(dialWebSocket(`ws://127.0.0.1:${port}/`, { signal: controller.signal }))
		controller.abort()
		expect((await dial).code).toBe('DIAL_ABORTED')
		expect((await failure(dialWebSocket(`ws://127.0.0.1:${port}/`, { signal: controller.signal }))).code).toBe('DIAL_ABORTED')
	})

	it('refuses what is not a WebSocket address, without quoting it', async () => {
		const error = await failure(dialWebSocket('ftp://user:secret@host/'))
		expect(error.code).toBe('DIAL_URL_INVALID')
		expect(error.message).not.toContain('secret')
	})
})
