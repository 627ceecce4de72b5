import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { OWNER, ownerToken, setUp } from './cli-world.ts'
import {
	createHome,
	freePort,
	type Home,
	launchChromium,
	openPerson,
	type RelayProcess,
	startRelay,
	startSally,
	useScope,
} from './harness/index.ts'
import { readableTerminals, signInOnPage, typeLine, waitForTerminal } from './web-world.ts'

const SETTINGS = { NEW_LINKS_PER_MINUTE: '1000', HELLOS_PER_MINUTE: '1000' }
const scope = useScope()
let relay: RelayProcess
let relayHome: Home
let port: number
let page: Page
let agent: ReturnType<typeof startSally>
let agentHome: Home

beforeAll(async () => {
	port = await freePort()
	relayHome = createHome(scope, 'relay')
	relay = await startRelay(scope, relayHome, { ...SETTINGS, PORT: String(port) })
	await setUp(relay.url, relay.setupSecret)
	const person = await openPerson(scope, await launchChromium(scope))
	page = person.page
	await readableTerminals(page)
	await signInOnPage(page, relay.url)
	await page.getByRole('button', { name: 'Add machine' }).first().click()
	const command = (await page.getByLabel('Join command').textContent()) ?? ''
	agentHome = createHome(scope, 'machine')
	const text = command.split(' ').at(-1) ?? ''
	agent = startSally(scope, agentHome, ['agent', 'join', '--yes', '--port', '0', '--node-name', 'far-box', text])
	await page.getByRole('dialog').getByRole('button', { name: 'Open terminal' }).click({ timeout: 30_000 })
	await waitForTerminal(page, /[$#]/)
})

describe('a terminal whose path is lost', { concurrent: false }, () => {
	it('says so while the relay is gone, and has the same shell when it is back', async () => {
		await typeLine(page, 'kept="same shell $$"; echo "$kept"')
		const before = /^same shell \d+$/m.exec(await waitForTerminal(page, /^same shell \d+$/m))?.[0]
		relay.child.kill('SIGKILL')
		await relay.child.exited
		await page.getByText('Reconnecting…').waitFor()
		relay = await startRelay(scope, relayHome, { ...SETTINGS, PORT: String(port) })
		await page.getByText('Reconnecting…').waitFor({ state: 'hidden', timeout: 60_000 })
		await page.locator('.xterm-helper-textarea').focus()
		await typeLine(page, 'clear; echo "after: $kept"')
		expect(await waitForTerminal(page, /after: same shell \d+/)).toContain(`after: ${before}`)
	})

	it('shows why the machine is offline, live, and that it is back', async () => {
		await page.getByRole('link', { name: 'Machines', exact: true }).first().click()
		agent.kill('SIGKILL')
		await agent.exited
		await page.getByText('connection lost').waitFor()
		await page.getByRole('button', { name: 'far-box is offline' }).waitFor()
		agent = startSally(scope, agentHome, ['agent', 'start'], { PORT: '0' })
		await page.getByRole('button', { name: 'Open terminal on far-box' }).waitFor({ timeout: 30_000 })
	})

	it('tells that a shell ended with the agent, and opens another by Enter', async () => {
		await page
			.getByRole('link', { name: /^Terminals/ })
			.first()
			.click()
		await page.getByText(/That terminal is gone|The agent has restarted/).waitFor({ timeout: 30_000 })
		await page.locator('.xterm-helper-textarea').focus()
		await page.keyboard.press('Enter')
		await waitForTerminal(page, /[$#]/)
		await typeLine(page, 'echo fresh-$((3*7))')
		await waitForTerminal(page, /fresh-21/)
	})

	it('asks to sign in again when the sign-in was ended elsewhere, and goes on where it was', async () => {
		await typeLine(page, 'clear; still="here $$"; echo "$still"')
		const before = /^here \d+$/m.exec(await waitForTerminal(page, /^here \d+$/m))?.[0]
		const headers = { authorization: `Bearer ${await ownerToken(relay.url)}` }
		const answer = await fetch(`${relay.url}/api/access-sessions`, { headers })
		const { sessions } = (await answer.json()) as { sessions: readonly { id: string; kind: string }[] }
		for (const { id } of sessions.filter(({ kind }) => kind === 'web'))
			await fetch(`${relay.url}/api/access-sessions/${id}`, { method: 'DELETE', headers })
		const dialog = page.getByRole('dialog', { name: 'Sign in again' })
		await dialog.getByLabel('Password', { exact: true }).fill(OWNER.password)
		await dialog.getByRole('button', { name: 'Sign in' }).click()
		await dialog.waitFor({ state: 'hidden' })
		await page.getByText('Reconnecting…').waitFor({ state: 'hidden', timeout: 30_000 })
		await page.locator('.xterm-helper-textarea').focus()
		await typeLine(page, 'clear; echo "and $still"')
		expect(await waitForTerminal(page, /and here \d+/)).toContain(`and ${before}`)
	})
})
