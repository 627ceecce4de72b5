import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { readLine } from './line-reader.ts'
import { memoryChannel } from './memory-channel.ts'

describe('a channel in memory', () => {
	it('carries both ways and half-closes', async () => {
		const [near, far] = memoryChannel()
		near.end('question')
		expect(await text(far)).toBe('question')
		far.end('answer')
		expect(await text(near)).toBe('answer')
	})

	it('holds a writer back while nobody reads', async () => {
		const [near, far] = memoryChannel()
		let writes = 0
		while (near.write(Buffer.alloc(64 * 1024)) && writes < 1000) writes++
		expect(writes).toBeLessThan(100)
		far.resume()
		await once(near, 'drain')
	})

	it('ends at both sides when one is destroyed', async () => {
		const [near, far] = memoryChannel()
		near.destroy()
		await once(far, 'close')
		expect(far.destroyed).toBe(true)
	})
})

describe('reading one line', () => {
	it.each([
		['at once', ['line\nrest']],
		['in pieces', ['li', 'ne', '\n', 'rest']],
	])('leaves what follows: %s', async (_name, pieces) => {
		const [near, far] = memoryChannel()
		const line = readLine(far)
		for (const piece of pieces) near.write(piece)
		expect(Buffer.from((await line) ?? []).toString()).toBe('line')
		near.end()
		expect(await text(far)).toBe('rest')
	})

	it('gives nothing when the channel ends before', async () => {
		const [near, far] = memoryChannel()
		near.end('half')
		expect(await readLine(far)).toBeUndefined()
	})
})

/** Reads to the end, and leaves the other direction open. */
async function text(channel: Duplex): Promise<string> {
	let all = ''
	channel.setEncoding('utf8').on('data', (part: string) => {
		all += part
	})
	channel.resume()
	await once(channel, 'end')
	return all
}
