/** The agent's own listener, met by a page in the victim's browser, a rebound name, and a stranger on the LAN. */
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { dialWebSocket } from '@sallyport/transport/node'
import { beforeAll, describe, expect, it } from 'vitest'
import { useScope, waitFor, within } from '../harness/index.ts'
import { type Machine, type Stand, startStand } from './stand.ts'

const scope = useScope()
let stand: Stand
let machine: Machine
let port: number

beforeAll(async () => {
	stand = await startStand(scope)
	machine = await stand.machine('box')
	port = machine.agent.status().listener?.port ?? 0
})

/** The status of an upgrade, as a browser asks for it. */
function upgrade(at: number, path: string, headers: Record<string, string>): Promise<number> {
	return new Promise((resolve, reject) => {
		const asked = request({
			host: '127.0.0.1',
			port: at,
			path,
			headers: {
				connection: 'Upgrade',
				upgrade: 'websocket',
				'sec-websocket-version': '13',
				'sec-websocket-key': randomBytes(16).toString('base64'),
				cookie: 'sallyport=stolen; __Host-sallyport=stolen',
				...headers,
			},
		})
		asked.on('upgrade', (_response, socket) => {
			socket.destroy()
			resolve(101)
		})
		asked.on('response', (response) => {
			response.resume()
			resolve(response.statusCode ?? 0)
		})
		asked.on('error', reject)
		asked.end()
	})
}

const FOREIGN_ORIGINS = [
	'https://evil.example',
	'null',
	'',
	'http://127.0.0.1',
	'http://127.0.0.1:1',
	'https://127.0.0.1.evil.example',
	'http://localhost.evil.example',
	'file://',
]
const FOREIGN_HOSTS = ['evil.example', 'evil.example:8081', '127.0.0.1.evil.example', '169.254.169.254', '0.0.0.0', 'x@127.0.0.1']
const RELAY_PATHS = ['/api/web/ws', '/api/nodes/ws', '/api/nodes/link']

describe('before the upgrade', () => {
	it.each(FOREIGN_ORIGINS)('the origin %j gets a 403 from the agent, with any cookie', async (origin) => {
		expect(await upgrade(port, '/api/web/ws', { host: `127.0.0.1:${port}`, origin })).toBe(403)
	})

	it.each(FOREIGN_HOSTS)('the host %j gets a 403 from the agent', async (host) => {
		expect(await upgrade(port, '/api/web/ws', { host })).toBe(403)
	})

	it.each(RELAY_PATHS)('the same get a 403 from the whole relay at %s', async (path) => {
		const { host } = new URL(stand.path.origin)
		for (const origin of [...FOREIGN_ORIGINS, `${stand.path.origin}.evil.example`, `${stand.path.origin}1`])
			expect([origin, await upgrade(stand.relay.port, path, { host, origin })]).toEqual([origin, 403])
		for (const name of FOREIGN_HOSTS) expect([name, await upgrade(stand.relay.port, path, { host: name })]).toEqual([name, 403])
		expect(await upgrade(stand.relay.port, path, { host })).toBe(101)
	})

	it('the relay of the machine and programs get in', async () => {
		const host = `127.0.0.1:${port}`
		expect(await upgrade(port, '/api/web/ws', { host, origin: stand.path.origin })).toBe(101)
		expect(await upgrade(port, '/api/web/ws', { host })).toBe(101)
	})
})

describe('a stranger at the listener', () => {
	const url = () => `ws://127.0.0.1:${port}/api/web/ws`

	it.each([
		['binary before hello', (socket: Talk) => socket.sendBinary(Uint8Array.of(1)), 4400],
		['text that is no JSON', (socket: Talk) => socket.sendText('hello'), 4400],
		['an unknown op', (socket: Talk) => socket.sendText('{"op":"shell"}'), 4400],
		['an unknown version', (socket: Talk) => socket.sendText('{"op":"hello","version":9}'), 4426],
		['open before hello', (socket: Talk) => socket.sendText(`{"op":"open","node_id":"${machine.agent.nodeId}"}`), 4400],
		['nesting of a thousand levels', (socket: Talk) => socket.sendText('['.repeat(1_000)), 4400],
		['a hello of 1 MB', (socket: Talk) => socket.sendText(`{"op":"hello","x":"${'x'.repeat(1_000_000)}"}`), 1009],
	])('with %s is closed with a code', async (_name, act, code) => {
		const socket = await dialWebSocket(url())
		const closed = new Promise<number>((resolve) =>
			socket.setHandlers({ onText: () => undefined, onBinary: () => undefined, onClose: (close) => resolve(close.code) }),
		)
		act(socket)
		expect(await within('the close', closed)).toBe(code)
	})

	it('with many sockets that say nothing holds no more than the limit, and pairs nothing', async () => {
		const sockets: Socket[] = []
		let refused = 0
		for (let index = 0; index < 200; index++) {
			const socket = connect(port, '127.0.0.1')
			socket.on('error', () => undefined)
			socket.on('data', (data) => {
				if (data.toString('latin1').startsWith('HTTP/1.1 503')) refused++
			})
			const key = randomBytes(16).toString('base64')
			socket.write(
				`GET /api/web/ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
			)
			sockets.push(socket)
		}
		await waitFor('those above the limit to be refused', () => refused >= 200 - 64)
		for (const socket of sockets) socket.destroy()
		expect(machine.agent.status().links).toEqual([])
		await waitFor('room again', async () => (await upgrade(port, '/api/web/ws', { host: `127.0.0.1:${port}` })) === 101)
	})
})

type Talk = Awaited<ReturnType<typeof dialWebSocket>>
