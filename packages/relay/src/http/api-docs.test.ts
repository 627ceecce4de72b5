/** `docs/api.md` against the relay it describes: every route is there, and every command works. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { expect, it } from 'vitest'
import { createFixture, newMachine } from './api.fixture.ts'

const PAGE = readFileSync(join(import.meta.dirname, '../../../../docs/api.md'), 'utf8')
const blocks = (language: string) =>
	[...PAGE.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map((match) => match[1] ?? '')

it('names every route of the relay', async () => {
	const relay = await createFixture()
	const routes = relay.app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `\`${method} ${path}\``)
	await relay.close()
	expect(routes.length).toBeGreaterThan(25)
	expect([...new Set(routes)].filter((route) => !PAGE.includes(route))).toEqual([])
})

it('shows answers that are JSON', () => {
	const samples = blocks('json')
	expect(samples.length).toBeGreaterThan(10)
	for (const sample of samples) expect(() => JSON.parse(sample), sample).not.toThrow()
})

it('has commands that work, in the order in which they stand', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'sallyport-docs-'))
	// The relay must know its address before it is made, so the server listens first.
	const machine = newMachine()
	const server = createServer()
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	const address = server.address()
	const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
	const relay = await createFixture({ origin })
	const answer = getRequestListener(relay.app.fetch, { overrideGlobalObjects: false })
	server.on('request', (request, response) => {
		const url = new URL(request.url ?? '/', origin)
		if (url.pathname !== '/make-enrol-body') void answer(request, response)
		else response.end(JSON.stringify(machine.enrolBody(url.searchParams.get('token') ?? '', { origin, name: 'attic' })))
	})
	try {
		const setup = await relay.control.createSetup()
		const agent = `make_enrol_body() { curl -sS -G "${origin}/make-enrol-body" --data-urlencode "token=$1"; }`
		const commands = blocks('sh')
		expect(commands.length).toBeGreaterThan(12)
		const script = join(folder, 'commands.sh')
		writeFileSync(script, ['set -eu -o pipefail', agent, ...commands].join('\n'))
		const env = { PATH: process.env['PATH'] ?? '', HOME: folder, RELAY: origin, SETUP_SECRET: setup?.setupSecret ?? '' }
		const bash = spawn('bash', [script], { cwd: folder, env })
		let output = ''
		bash.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
		bash.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
		const status = await new Promise((resolve) => bash.once('close', resolve))
		expect({ status, output }).toMatchObject({ status: 0 })
		expect(output).toContain('"name":"cellar"')
	} finally {
		server.closeAllConnections()
		await new Promise((resolve) => server.close(resolve))
		await relay.close()
		rmSync(folder, { recursive: true, force: true })
	}
})
