import { createHash } from 'node:crypto'
import { terminalIdSchema } from '@sallyport/protocol'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { Collected, newDevice, shellRequest, World } from './testing/world.fixture.ts'

let world: World
afterEach(() => world.close())

const attachRequest = (terminalId: string) =>
	({ kind: 'attach', class: 'interactive', cols: 100, rows: 30, terminal_id: v.parse(terminalIdSchema, terminalId) }) as const

describe('terminals', () => {
	it('outlive their link and are attached again by the same device, with the last output', async () => {
		world = await World.make()
		const device = newDevice()
		const first = await world.pair(device)
		const opening = first.openStream({ ...shellRequest, name: 'work' })
		const before = new Collected(opening.stream)
		const { terminalId = '' } = await opening.opened
		opening.stream.write(Buffer.from('X=kept; echo before-$((2 + 3))\r'))
		await before.until(() => before.text().includes('before-5'))
		first.close('closed_by_client')
		await first.ended

		const second = await world.open(device)
		expect(await second.request({ op: 'list_terminals' })).toMatchObject({
			terminals: [{ terminal_id: terminalId, name: 'work', kind: 'shell' }],
		})
		const attaching = second.openStream(attachRequest(terminalId))
		const after = new Collected(attaching.stream)
		expect(await attaching.opened).toEqual({ terminalId, name: 'work' })
		await after.until(() => after.text().includes('before-5'))
		attaching.stream.write(Buffer.from('echo "still $X"; stty size; exit\r'))
		await after.until(() => after.isEnded)
		expect(after.text()).toContain('still kept')
		expect(after.text()).toContain('30 100')
		expect(await second.request({ op: 'list_terminals' })).toMatchObject({ terminals: [] })
	})

	it('run on while nobody is attached, and keep the last 256 KiB', async () => {
		world = await World.make()
		const device = newDevice()
		const link = await world.pair(device)
		const opening = link.openStream(shellRequest)
		const output = new Collected(opening.stream)
		const { terminalId = '' } = await opening.opened
		opening.stream.write(Buffer.from('stty -echo; head -c 3000000 /dev/zero | tr "\\0" y; echo; echo all-$((6 + 1))-done\r'))
		await output.until(() => output.text().includes('y'.repeat(50)))
		opening.stream.reset('cancelled')
		// A terminal that waited for its reader would never come to the end.
		const attach = async (): Promise<Collected> => new Collected(link.openStream(attachRequest(terminalId)).stream)
		let again = await attach()
		await again.until(() => again.text().includes('all-7-done'))
		again.stream.reset('cancelled')
		again = await attach()
		await again.until(() => again.text().includes('all-7-done'))
		expect(again.bytes().length).toBeLessThanOrEqual(256 * 1024)
		expect(again.bytes().length).toBeGreaterThan(255 * 1024)
	})

	it('pause their program while the reader takes nothing, and then deliver every byte', async () => {
		world = await World.make()
		const link = await world.pair(newDevice())
		const { stream } = link.openStream(shellRequest)
		const output = new Collected(stream, { isReading: false })
		const bytes = 20_000_000
		stream.write(Buffer.from(`stty raw -echo; printf START; seq 1 100000000 | head -c ${bytes}; printf FINISH; exit\r`))
		await output.until(() => output.text().includes('START'))
		const before = process.memoryUsage().rss

		// The whole window is used up; whatever more came would be sent within a few turns.
		await output.until(() => output.byteCount >= 255 * 1024)
		for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve))
		expect(output.byteCount).toBeLessThanOrEqual(300 * 1024)
		expect(process.memoryUsage().rss - before).toBeLessThan(32 * 1024 * 1024)
		// Now it reads: what was held and what comes.
		stream.consume(output.byteCount)
		let consumed = output.byteCount
		const timer = setInterval(() => {
			const total = output.byteCount
			stream.consume(total - consumed)
			consumed = total
		}, 2)
		await output.until(() => output.isEnded)
		clearInterval(timer)
		const all = output.bytes()
		const start = all.lastIndexOf('START') + 5
		const body = all.subarray(start, all.lastIndexOf('FINISH'))
		expect(body.length).toBe(bytes)
		const expected = createHash('sha256')
		let made = 0
		for (let number = 1; made < bytes; number++) {
			const line = `${number}\n`.slice(0, bytes - made)
			expected.update(line)
			made += line.length
		}
		expect(createHash('sha256').update(body).digest('hex')).toBe(expected.digest('hex'))
	})

	it('are hidden from other devices, which can neither attach, end nor rename them', async () => {
		world = await World.make()
		const owner = await world.pair(newDevice())
		const opening = owner.openStream(shellRequest)
		new Collected(opening.stream)
		const { terminalId = '' } = await opening.opened
		const stranger = await world.pair(newDevice())
		expect(await stranger.request({ op: 'list_terminals' })).toMatchObject({ terminals: [] })
		const listed = await owner.request({ op: 'list_terminals' })
		const id = listed.op === 'terminals' ? listed.terminals[0]?.terminal_id : undefined
		if (id === undefined) throw new Error('the owner sees its terminal')
		await expect(stranger.openStream(attachRequest(terminalId)).opened).rejects.toMatchObject({ code: 'not_found' })
		await expect(stranger.request({ op: 'end_terminal', terminal_id: id })).rejects.toThrow(/has ended/)
		await expect(stranger.request({ op: 'rename_terminal', terminal_id: id, name: 'x' })).rejects.toThrow(/has ended/)
		expect(await owner.request({ op: 'rename_terminal', terminal_id: id, name: 'mine' })).toMatchObject({ op: 'done' })
		expect(await owner.request({ op: 'list_terminals' })).toMatchObject({ terminals: [{ name: 'mine' }] })
	})

	it('move to the window that opens them last', async () => {
		world = await World.make()
		const device = newDevice()
		const link = await world.pair(device)
		const opening = link.openStream(shellRequest)
		const old = new Collected(opening.stream)
		const { terminalId = '' } = await opening.opened
		const taken = new Collected(link.openStream(attachRequest(terminalId)).stream)
		await old.until(() => old.reset !== undefined)
		expect(old.reset).toMatchObject({ code: 'cancelled' })
		taken.stream.write(Buffer.from('echo here-$((1 + 2))\r'))
		await taken.until(() => taken.text().includes('here-3'))
	})

	it('end when asked, and when nobody came back in time', async () => {
		world = await World.make({ config: { terminalDetachedMs: 50 } })
		const link = await world.pair(newDevice())
		const first = link.openStream(shellRequest)
		const output = new Collected(first.stream)
		await first.opened
		const listed = await link.request({ op: 'list_terminals' })
		const id = listed.op === 'terminals' ? listed.terminals[0]?.terminal_id : undefined
		if (id === undefined) throw new Error('there is a terminal')
		expect(await link.request({ op: 'end_terminal', terminal_id: id })).toMatchObject({ op: 'done' })
		await output.until(() => output.isEnded)
		const second = link.openStream(shellRequest)
		new Collected(second.stream)
		const { terminalId = '' } = await second.opened
		const gone = new Promise<void>((resolve) => {
			link.onNotice((notice) => {
				if (notice.op === 'terminals_changed' && world.agent.status().terminals.length === 0) resolve()
			})
		})
		second.stream.reset('cancelled')
		await gone
		await expect(link.openStream(attachRequest(terminalId)).opened).rejects.toMatchObject({ code: 'not_found' })
	})
})
