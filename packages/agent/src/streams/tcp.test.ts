import { createHash, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import type { Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { ClientLink } from '@sallyport/carrier'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Collected, newDevice, World } from '../testing/world.fixture.ts'

let world: World
let link: ClientLink
let server: Server
let port = 0
let onSocket: (socket: Socket) => void = () => undefined
beforeEach(async () => {
	server = createServer({ allowHalfOpen: true }, (socket) => {
		socket.on('error', () => undefined)
		onSocket(socket)
	})
	port = await listen(server)
	world = await World.make({ config: { sshPort: port } })
	link = await world.pair(newDevice())
})
afterEach(async () => {
	server.close()
	await world.close()
})
const tcp = (target: { host?: string; port?: number } = {}) => ({ kind: 'tcp', class: 'bulk', ...target }) as const

describe('tcp', () => {
	it('reaches the own sshd by default, and carries bytes and half-closes both ways', async () => {
		const received = createHash('sha256')
		onSocket = (socket) => {
			socket.on('data', (bytes) => received.update(bytes))
			socket.on('end', () => socket.end(received.digest('hex')))
		}
		const { stream, opened } = link.openStream(tcp())
		const output = new Collected(stream)
		await opened
		const body = new Uint8Array(randomBytes(5_000_000))
		stream.write(body)
		stream.end()
		await output.until(() => output.isClosed)
		expect(output.text()).toBe(createHash('sha256').update(body).digest('hex'))
		expect(output.reset).toBeUndefined()
	})

	it('delivers a server’s last words after it half-closed, and still takes ours', async () => {
		const heard = new Promise<string>((resolve) => {
			onSocket = (socket) => {
				socket.end('bye')
				let text = ''
				socket.on('data', (bytes) => {
					text += bytes.toString()
				})
				socket.on('end', () => resolve(text))
			}
		})
		const { stream } = link.openStream(tcp())
		const output = new Collected(stream)
		await output.until(() => output.isEnded)
		expect(output.text()).toBe('bye')
		stream.write(Buffer.from('late'))
		stream.end()
		expect(await heard).toBe('late')
	})

	it('holds the server while the reader takes nothing', async () => {
		let written = 0
		onSocket = (socket) => {
			const chunk = Buffer.alloc(64 * 1024)
			const push = (): void => {
				while (socket.writable && socket.write(chunk)) written += chunk.length
			}
			socket.on('drain', push)
			socket.on('error', () => undefined)
			push()
		}
		const { stream } = link.openStream(tcp())
		const output = new Collected(stream, { isReading: false })
		await output.until(() => output.byteCount >= 255 * 1024)
		for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve))
		expect(output.byteCount).toBeLessThanOrEqual(300 * 1024)
		// The rest is in the kernel's buffers of both ends.
		expect(written).toBeLessThan(24 * 1024 * 1024)
		stream.reset('cancelled')
	})

	it('closes the connection when the stream is reset, and says so when the server breaks off', async () => {
		const closed = new Promise<void>((resolve) => {
			onSocket = (socket) =>
				socket
					.on('error', () => undefined)
					.on('close', () => resolve())
					.resume()
		})
		const first = link.openStream(tcp())
		await first.opened
		first.stream.reset('cancelled')
		await closed
		onSocket = (socket) => socket.on('data', () => socket.resetAndDestroy())
		const opening = link.openStream(tcp())
		const second = new Collected(opening.stream)
		await opening.opened
		opening.stream.write(Buffer.from('x'))
		await second.until(() => second.isClosed)
		expect(second.reset?.code).toBe('cancelled')
	})

	it('refuses what the policy does not name, and follows the policy file when it changes', async () => {
		const other = createServer((socket) => socket.on('error', () => undefined).end('other'))
		const otherPort = await listen(other)
		const refused = link.openStream(tcp({ host: '127.0.0.1', port: otherPort })).opened
		await expect(refused).rejects.toMatchObject({ code: 'policy_refused' })
		await writeFile(
			join(world.config.dataDir, 'policy.json'),
			JSON.stringify({ version: 1, forward: [{ host: 'localhost', ports: otherPort }] }),
			{ mode: 0o600 },
		)
		await expect.poll(() => world.agent.status().policy.isDefault, { timeout: 5000 }).toBe(false)
		const output = new Collected(link.openStream(tcp({ host: 'localhost', port: otherPort })).stream)
		await output.until(() => output.isEnded)
		expect(output.text()).toBe('other')
		await writeFile(join(world.config.dataDir, 'policy.json'), '{ "version": 1, "forwad": [] }', { mode: 0o600 })
		await expect.poll(() => world.agent.status().policy.problems.length, { timeout: 5000 }).toBe(1)
		const still = new Collected(link.openStream(tcp({ host: '127.0.0.1', port: otherPort })).stream)
		await still.until(() => still.isEnded)
		expect(still.text()).toBe('other')
		other.close()
	})

	it('says fast and in words that nothing listens or that a name is unknown', async () => {
		const closed = createServer()
		const closedPort = await listen(closed)
		await new Promise<void>((resolve) => closed.close(() => resolve()))
		await writeFile(
			join(world.config.dataDir, 'policy.json'),
			JSON.stringify({ version: 1, forward: [{ host: '*', ports: '*' }] }),
			{ mode: 0o600 },
		)
		await expect.poll(() => world.agent.status().policy.isDefault, { timeout: 5000 }).toBe(false)
		await expect(link.openStream(tcp({ host: '127.0.0.1', port: closedPort })).opened).rejects.toMatchObject({
			code: 'connect_refused',
			message: expect.stringContaining('nothing listens'),
		})
		await expect(link.openStream(tcp({ host: 'no-such-host.invalid', port: 80 })).opened).rejects.toMatchObject({
			code: 'name_unknown',
		})
	})
})

function listen(on: Server): Promise<number> {
	return new Promise((resolve) => {
		on.listen(0, '127.0.0.1', () => {
			const address = on.address()
			resolve(typeof address === 'object' && address !== null ? address.port : 0)
		})
	})
}
