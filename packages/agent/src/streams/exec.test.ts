import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import type { ClientLink, StreamRequest } from '@sallyport/carrier'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Collected, newDevice, World } from '../testing/world.fixture.ts'

let world: World
let link: ClientLink
beforeAll(async () => {
	world = await World.make({ env: { ...process.env, SALLY_CANARY: 'secret-of-the-agent' } })
	link = await world.pair(newDevice())
})
afterAll(() => world.close())

const exec = (argv: string[], extra: { cwd?: string; env?: Record<string, string> } = {}): StreamRequest => ({
	kind: 'exec',
	class: 'bulk',
	argv,
	...extra,
})
const sh = (command: string, extra: { cwd?: string; env?: Record<string, string> } = {}): StreamRequest =>
	exec(['/bin/sh', '-c', command], extra)

async function run(request: StreamRequest, input?: Uint8Array): Promise<Collected> {
	const { stream, opened } = link.openStream(request)
	const output = new Collected(stream)
	await opened
	if (input !== undefined) stream.write(input, 0)
	stream.end()
	await output.until(() => output.isClosed)
	return output
}

describe('exec', () => {
	it('keeps output and errors apart and passes the status on', async () => {
		const output = await run(sh('echo out; echo err >&2; exit 3'))
		expect(output.text(1)).toBe('out\n')
		expect(output.text(2)).toBe('err\n')
		expect(output.exits).toMatchObject([{ status: 3 }])
		expect(output.isEnded).toBe(true)
	})

	it('says by which signal a program ended', async () => {
		expect((await run(sh('kill -KILL $$'))).exits).toMatchObject([{ signal: 'KILL' }])
	})

	it('is binary-clean both ways', async () => {
		const input = new Uint8Array(randomBytes(3_000_000))
		const output = await run(exec(['cat']), input)
		expect(createHash('sha256').update(output.bytes(1)).digest('hex')).toBe(createHash('sha256').update(input).digest('hex'))
	})

	it('runs no shell: arguments arrive as they are', async () => {
		const nasty = ['$(id)', '`id`', '; id', '-n', "a'b", 'line\nbreak', '*', '\\']
		const output = await run(exec(['printf', '[%s]', ...nasty]))
		expect(output.text(1)).toBe(nasty.map((text) => `[${text}]`).join(''))
	})

	it('gives the named folder and variables, and nothing of the agent’s own environment', async () => {
		const output = await run(sh('pwd; echo "$GREETING"; env', { cwd: '/tmp', env: { GREETING: 'hello' } }))
		expect(output.text(1)).toMatch(/^\/tmp\nhello\n/)
		expect(output.text(1)).not.toContain('secret-of-the-agent')
	})

	it.each([
		['a program that is not there', exec(['/no/such/program']), /was not found/],
		['a file that may not be run', exec(['/proc/self/status']), /may not be run/],
		['a folder that is not there', exec(['true'], { cwd: '/no/such' }), /not a folder/],
		['a NUL in an argument', exec(['echo', 'a\0b']), /NUL/],
		['a variable with a bad name', exec(['true'], { env: { 'A=B': 'x' } }), /environment variable/],
		['no program', exec(['']), /no name/],
	])('refuses %s with words', async (_what, request, message) => {
		await expect(link.openStream(request).opened).rejects.toMatchObject({
			code: 'spawn_failed',
			message: expect.stringMatching(message),
		})
	})

	it('holds the program while the reader takes nothing', async () => {
		const { stream } = link.openStream(
			sh(
				'i=0; while [ $i -lt 100 ]; do head -c 65536 /dev/zero; i=$((i + 1)); echo $i > /tmp/sally-exec-$$; done; rm /tmp/sally-exec-$$',
			),
		)
		const output = new Collected(stream, { isReading: false })
		await output.until(() => output.byteCount >= 255 * 1024)
		for (let turn = 0; turn < 300; turn++) await new Promise((resolve) => setImmediate(resolve))
		expect(output.byteCount).toBeLessThanOrEqual(300 * 1024)
		expect(output.isEnded).toBe(false)
		stream.reset('cancelled')
	})

	it('ends the program and all that it started when the stream is reset', async () => {
		const { stream } = link.openStream(sh('sleep 300 & echo $$ $!; wait'))
		const output = new Collected(stream)
		await output.until(() => /\d+ \d+/.test(output.text(1)))
		const pids = output.text(1).trim().split(' ')
		stream.reset('cancelled')
		await expect.poll(() => pids.some((pid) => isRunning(pid)), { timeout: 5000 }).toBe(false)
	})

	it('passes signals to the program', async () => {
		const { stream } = link.openStream(sh('trap "echo got it; exit 9" INT; echo ready; while :; do sleep 0.02; done'))
		const output = new Collected(stream)
		await output.until(() => output.text(1).includes('ready'))
		stream.send({ op: 'signal', signal: 'INT' })
		await output.until(() => output.isEnded)
		expect(output.text(1)).toContain('got it')
		expect(output.exits).toMatchObject([{ status: 9 }])
	})

	it('goes on when the program closes its input early', async () => {
		const output = await run(sh('exec 0<&-; echo done'), new Uint8Array(1_000_000))
		expect(output.text(1)).toBe('done\n')
		expect(output.exits).toMatchObject([{ status: 0 }])
	})
})

function isRunning(pid: string): boolean {
	return existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
}
