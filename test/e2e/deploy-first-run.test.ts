/** `npm start` and `sally up` as their user meets them: what is remembered, how it ends, and what it says when it can't. */
import { existsSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createWorld } from './cli-world.ts'
import {
	createHome,
	createSystemUser,
	freePort,
	isRoot,
	launchChromium,
	openPerson,
	runChild,
	sally,
	sallyPath,
	startChild,
	startSally,
	startUp,
	useScope,
	waitFor,
} from './harness/index.ts'
import { readableTerminals, setUpInPage, typeLine, waitForTerminal } from './web-world.ts'

const scope = useScope()
const ONE_SENTENCE = /^sally: [^\n]+\n$/
const START = fileURLToPath(new URL('../../tools/start.mjs', import.meta.url))

describe('a second start', () => {
	it('remembers owner, machine and pairing, and Ctrl+C before it left nothing behind', async () => {
		const [port, agentPort] = [await freePort(), await freePort()]
		const settings = { PORT: String(port), AGENT_PORT: String(agentPort), NEW_LINKS_PER_MINUTE: '1000' }
		const home = createHome(scope, 'remembers')
		const browser = await launchChromium(scope)
		const { page } = await openPerson(scope, browser)
		await readableTerminals(page)
		const first = await startUp(scope, home, settings)
		await setUpInPage(page, first.link)
		await page.getByRole('button', { name: /^Pair with/ }).click()
		await page.getByRole('button', { name: /^Open terminal on/ }).click()
		await waitForTerminal(page, /\$|#/)
		await typeLine(page, 'sleep 1000 & echo "shell $$ child $!"')
		const [, shell = '', child = ''] = (await waitForTerminal(page, /shell \d+ child \d+/)).match(/shell (\d+) child (\d+)/) ?? []
		await page.goto('about:blank')

		first.child.kill('SIGINT')
		expect(await first.child.exited).toEqual({ status: 0, signal: null })
		await waitFor('the shell and its child to end', () => !existsSync(`/proc/${shell}`) && !existsSync(`/proc/${child}`))
		for (const released of [port, agentPort]) expect(await canListen(released)).toBe(true)

		const second = await startUp(scope, home, settings)
		expect(second.link).toBe(first.origin)
		await page.goto(second.link)
		await page.getByRole('button', { name: /^Open terminal on/ }).click()
		await waitForTerminal(page, /\$|#/)
		await typeLine(page, 'echo known-$((40+2))')
		await waitForTerminal(page, /known-42/)
		await second.child.stop()
	})

	it('serves the page when it is called through a link, as npm and packages install it', async () => {
		const link = join(scope.folder, 'sally')
		symlinkSync(sallyPath(), link)
		const child = startChild(scope, link, ['relay'], { env: { ...createHome(scope, 'linked').env, PORT: '0' } })
		const [, url = ''] = await child.waitForOutput(/is ready: (http:\/\/[^/]+)/)
		expect((await fetch(url)).status).toBe(200)
	})
})

function canListen(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const server = createServer()
		server.once('error', () => resolve(false))
		server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
	})
}

describe('one clear sentence, and a status that is not zero', () => {
	it.each(['up', 'relay'])('when the port is taken (sally %s)', async (command) => {
		const server = createServer()
		const port = await freePort()
		await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
		const ran = await sally(scope, createHome(scope, `taken-${command}`), [command], {
			env: { PORT: String(port), AGENT_PORT: '0' },
		})
		await new Promise<void>((resolve) => server.close(() => resolve()))
		expect(ran).toMatchObject({ status: 1, stdout: '' })
		expect(ran.stderr).toMatch(ONE_SENTENCE)
		expect(ran.stderr).toContain(`port ${port} on 127.0.0.1 is taken`)
	})

	it.runIf(isRoot())('when the folder is not writable', async () => {
		const user = createSystemUser(scope)
		const home = createHome(scope, 'roots')
		const env = { ...home.env, PORT: '0', AGENT_PORT: '0', DATA_DIR: '/usr/lib/sally-cannot-write-here' }
		const as = ['--reuid', user.name, '--regid', user.name, '--init-groups', process.execPath, sallyPath(), 'up']
		const ran = await runChild(scope, 'setpriv', as, { env, cwd: '/' })
		expect(ran).toMatchObject({ status: 1, stdout: '' })
		expect(ran.stderr).toMatch(ONE_SENTENCE)
		expect(ran.stderr).toContain('EACCES')
	})

	it('when Node is too old', async () => {
		const old = join(scope.folder, 'old-node.cjs')
		writeFileSync(old, `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.19.0' } })`)
		const { env } = createHome(scope, 'old')
		const ran = await runChild(scope, process.execPath, ['--require', old, START], { env })
		expect(ran).toMatchObject({ status: 1, stdout: '' })
		expect(ran.stderr).toMatch(/^Sallyport needs Node 20\.19 or newer, and this is 18\.19\.0: [^\n]+\n$/)
	})

	it('when production lacks its settings, all of them at once', async () => {
		const ran = await sally(scope, createHome(scope, 'production'), ['relay'], { env: { APP_MODE: 'production', PORT: 'x' } })
		expect(ran).toMatchObject({ status: 2, stdout: '' })
		for (const name of ['PORT', 'PUBLIC_URL', 'TLS_CERT and TLS_KEY, or TRUSTED_PROXIES', 'ACCESS_CONTROL_ALLOW_ORIGIN'])
			expect(ran.stderr).toContain(`  ${name}: `)
	})
})

describe('limits', () => {
	it('tells whoever opens too many links how long to wait, and lets the open ones be', async () => {
		const world = await createWorld(scope, { NEW_LINKS_PER_MINUTE: '10' })
		const open = startSally(scope, world.laptop, ['exec', world.node.name, '--', 'cat'])
		open.write('before\n')
		await open.waitForOutput(/before/)
		// With the pairing and the one above these are more than ten; without sharing each wants a link of its own.
		const args = ['--no-share', 'exec', world.node.name, '--', 'true']
		const more = Array.from({ length: 10 }, () => startSally(scope, world.laptop, args))
		const told = await waitFor('one that is told to wait', () => more.find((child) => / \d+ s\b/.test(child.stderr())), 50_000)
		expect(told.stderr()).toMatch(/^you have opened too many new connections[^\n]*; waiting \d+ s\n/)
		console.info(`the limit says: ${told.stderr().trim()}`)
		await Promise.all(more.map((child) => child.stop()))
		open.write('after\n')
		await open.waitForOutput(/before\nafter/)
	})
})
