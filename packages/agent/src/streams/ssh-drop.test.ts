import type { Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import type { ClientLink, InboundStreamMessage } from '@sallyport/carrier'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Collected, newDevice, World } from '../testing/world.fixture.ts'

let world: World
let link: ClientLink
let server: Server
let sockets: Promise<Socket>
beforeEach(async () => {
	sockets = new Promise((resolve) => {
		server = createServer((socket) => {
			socket.on('error', () => undefined).resume()
			resolve(socket)
		})
	})
	const port = await new Promise<number>((resolve) => {
		server.listen(0, '127.0.0.1', () => {
			const address = server.address()
			resolve(typeof address === 'object' && address !== null ? address.port : 0)
		})
	})
	world = await World.make({ config: { sshPort: port } })
	link = await world.pair(newDevice())
})
afterEach(async () => {
	server.close()
	await world.close()
})

/** An SSH terminal that stands at the question for the user name. */
async function atUserName() {
	const { stream } = link.openStream({ kind: 'ssh', class: 'interactive', cols: 80, rows: 24 })
	const prompts: InboundStreamMessage[] = []
	const output = new Collected(stream, { onMessage: (message) => prompts.push(message) })
	await output.until(() => prompts.length > 0)
	expect(prompts).toMatchObject([{ op: 'login_prompt', kind: 'username' }])
	return { stream, output, socket: await sockets }
}

describe('an SSH server while the person is asked for their name', () => {
	it('that breaks the connection ends the stream, and the agent lives on', async () => {
		const { output, socket } = await atUserName()
		socket.resetAndDestroy()
		await output.until(() => output.reset !== undefined)
		expect(output.reset).toMatchObject({ code: 'auth_failed', message: expect.stringContaining('closed the connection') })
		expect(await link.request({ op: 'list_terminals' })).toMatchObject({ op: 'terminals', terminals: [] })
	})

	it('that hangs up without a word ends the stream once the name is there', async () => {
		const { stream, output, socket } = await atUserName()
		socket.end()
		stream.send({ op: 'login_answer', prompt_id: 1, answers: ['ada'] })
		await output.until(() => output.reset !== undefined)
		expect(output.reset).toMatchObject({ message: expect.stringContaining('closed the connection') })
	})

	it('is left at once when the person gives up', async () => {
		const { stream, socket } = await atUserName()
		const closed = new Promise<void>((resolve) => {
			socket.once('close', () => resolve())
		})
		stream.reset('cancelled')
		await closed
		expect(link.isOpen).toBe(true)
	})
})
