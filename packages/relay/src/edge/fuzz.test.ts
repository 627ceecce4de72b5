import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EdgeRig } from '../../test/edge-rig.ts'
import { createEdgeRig } from '../../test/edge-rig.ts'

let rig: EdgeRig
beforeAll(async () => {
	rig = await createEdgeRig()
})
afterAll(() => rig.close())

/** Text and bytes that a hostile peer may begin with, some of it close to what is right. */
const hostile = fc.oneof(
	fc.uint8Array({ maxLength: 4096 }),
	fc.string({ maxLength: 4096 }),
	fc.json(),
	fc
		.record(
			{ op: fc.constantFrom('hello', 'open', 'heartbeat', 'dial_failed', '__proto__', 'constructor'), version: fc.anything() },
			{ requiredKeys: ['op'] },
		)
		.map((value) => JSON.stringify(value)),
	fc
		.record({
			op: fc.constant('hello'),
			version: fc.constantFrom(0, 1, 2, -1, 1.5, '1', null),
			token: fc.oneof(fc.string({ minLength: 8 }), fc.constant('sly_pat_'), fc.integer()),
			link_ticket: fc.string({ minLength: 8 }),
			node_id: fc.string(),
		})
		.map((value) => JSON.stringify(value)),
)

describe('every socket route', () => {
	it.each(['/api/web/ws', '/api/nodes/ws', '/api/nodes/link'])(
		'closes %s with a code of ours whatever comes first, and goes on',
		async (path) => {
			await fc.assert(
				fc.asyncProperty(fc.array(hostile, { minLength: 1, maxLength: 8 }), async (messages) => {
					const talker = await rig.dial(path)
					await talker.nextText()
					for (const message of messages) {
						if (typeof message === 'string') talker.socket.sendText(message)
						else talker.socket.sendBinary(message)
					}
					const { code } = await talker.closed()
					expect([4400, 4401, 4403, 4404, 4426]).toContain(code)
					expect(talker.texts.every((text) => ['auth_required', 'refused'].includes(JSON.parse(text).op))).toBe(true)
				}),
				{ numRuns: 150 },
			)
			expect(rig.edge.view.totals()).toMatchObject({ nodesConnected: 0, linksOpen: 0 })
		},
	)

	it.each(['/api/web/ws', '/api/nodes/ws', '/api/nodes/link'])(
		'survives arbitrary bytes on the TCP connection of %s after the upgrade',
		async (path) => {
			await fc.assert(
				fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 512 }), async (bytes) => {
					expect(await rawCloses(rig.origin, path, bytes)).toBe(true)
				}),
				{ numRuns: 60 },
			)
			const talker = await rig.dial(path)
			expect(JSON.parse(await talker.nextText())).toMatchObject({ op: 'auth_required' })
		},
	)

	it('drops a frame that claims 2^63 bytes, and one that claims 4 GiB, without waiting for them', async () => {
		const huge = Uint8Array.of(0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)
		const large = Uint8Array.of(0x82, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0)
		expect(await rawCloses(rig.origin, '/api/web/ws', huge, { staysOpen: true })).toBe(true)
		expect(await rawCloses(rig.origin, '/api/web/ws', large, { staysOpen: true })).toBe(true)
	})
})

/** Upgrades by hand, sends the bytes and, unless it stays, its own end; true when the relay ends the connection. */
function rawCloses(origin: string, path: string, bytes: Uint8Array, { staysOpen = false } = {}): Promise<boolean> {
	const { hostname, port, host } = new URL(origin)
	return new Promise((resolve) => {
		const socket = connect(Number(port), hostname, () => {
			socket.write(
				`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
					'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
			)
			socket.write(bytes)
			if (!staysOpen) socket.end()
		})
		socket.on('data', () => undefined)
		socket.on('error', () => socket.destroy())
		socket.on('close', () => resolve(true))
	})
}
