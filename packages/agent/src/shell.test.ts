import { afterEach, describe, expect, it } from 'vitest'
import { Collected, newDevice, shellRequest, World } from './testing/world.fixture.ts'

let world: World
afterEach(() => world.close())

describe('a shell over a link', () => {
	it('opens through the relay for a device that was invited, and takes what is typed', async () => {
		world = await World.make({ env: { ...process.env, SALLY_SECRET: 'never shown' } })
		const device = newDevice()
		await world.pair(device)
		const link = await world.open(device)
		const opening = link.openStream(shellRequest)
		const output = new Collected(opening.stream)
		expect(await opening.opened).toMatchObject({ name: 'shell' })
		opening.stream.write(Buffer.from('echo "sum $((40 + 2))"; tty; echo "[$SALLY_SECRET]"; exit 7\r'))
		await output.until(() => output.isEnded)
		expect(output.text()).toContain('sum 42')
		expect(output.text()).toMatch(/\/dev\/pts\/\d+/)
		expect(output.text()).toContain('[]')
		expect(output.exits).toMatchObject([{ op: 'exit', status: 7 }])
	})

	it('opens straight over the own listener with the same session', async () => {
		world = await World.make()
		const device = newDevice()
		const paired = await world.pair(device)
		expect(paired.ready.session).toMatchObject({ user: 'ada', capabilities: expect.arrayContaining(['shell', 'approve']) })
		const socket = await world.direct()
		const { link } = await world.knock(device, { kind: 'open', sessionId: paired.ready.session.session_id }, socket)
		const { stream } = link.openStream(shellRequest)
		const output = new Collected(stream)
		stream.write(Buffer.from('echo direct-$((1 + 1))\r'))
		await output.until(() => output.text().includes('direct-2'))
		stream.reset('cancelled')
	})
})
