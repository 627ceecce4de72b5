/** "Add machine": one line from the page, run by another user here, and on another machine. */
import { chmodSync, chownSync, readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import {
	type Child,
	createHome,
	createNamespace,
	createSystemUser,
	freePort,
	type Home,
	isRoot,
	launchChromium,
	type NetworkNamespace,
	openPerson,
	sallyPath,
	startChild,
	startRelay,
	startUp,
	useScope,
	whyNoNamespace,
} from './harness/index.ts'
import { readableTerminals, setUpInPage, typeLine, waitForTerminal } from './web-world.ts'

const scope = useScope()
const whyNot = whyNoNamespace()
/** A pasted line finds `sally` where an installation puts it. */
const BIN = `${dirname(sallyPath())}/../../../node_modules/.bin`
const APPEARS_WITHIN_MS = 5_000
let browser: Browser

beforeAll(async () => {
	browser = await launchChromium(scope)
})

interface Place {
	/** Settings of that machine, as its administrator would have set them. */
	readonly env?: Readonly<Record<string, string>>
	readonly wrap?: (command: string, args: readonly string[]) => readonly [string, readonly string[]]
}

/** Runs a line as it was shown, in a shell of that place. */
function paste(line: string, home: Home, place: Place = {}): Child {
	const [command, args] = place.wrap?.('bash', ['-c', line]) ?? ['bash', ['-c', line]]
	const env = { ...home.env, PATH: `${BIN}:${home.env['PATH'] ?? ''}`, PORT: '0', ...place.env }
	return startChild(scope, command, args, { name: 'pasted line', env, cwd: home.folder })
}

async function openAddMachine(page: Page): Promise<string> {
	await page.getByRole('link', { name: 'Machines', exact: true }).first().click()
	await page.getByRole('button', { name: 'Add machine' }).first().click()
	const line = (await page.getByLabel('Join command').textContent()) ?? ''
	expect(line).toMatch(/^sally agent join sly_join_v1\.\S+$/)
	return line
}

/** From "joined", as the machine says it, to where the page shows it; the page's own address stays what it was. */
async function timeUntilShown(page: Page, joining: Child, name: string): Promise<number> {
	const loads = await page.evaluate(() => performance.timeOrigin)
	await joining.waitForOutput(/joined as/)
	const joinedMs = performance.now()
	await page.getByText(`${name} joined and is paired`).waitFor()
	await page.getByRole('button', { name: new RegExp(`^${name}: Online`), includeHidden: true }).waitFor({ state: 'attached' })
	const tookMs = performance.now() - joinedMs
	expect(await page.evaluate(() => performance.timeOrigin)).toBe(loads)
	console.info(`${name} was shown, paired, ${Math.round(tookMs)} ms after it had joined`)
	return tookMs
}

async function expectShell(page: Page, line: string, answer: RegExp): Promise<void> {
	await page.getByRole('dialog').getByRole('button', { name: 'Open terminal' }).click()
	await waitForTerminal(page, /\$|#/)
	await typeLine(page, line)
	await waitForTerminal(page, answer)
}

describe.skipIf(!isRoot())('another user of this machine', () => {
	it('joins by the pasted line, and the terminal is that user’s own', async () => {
		const up = await startUp(scope, createHome(scope, 'up'), { NEW_LINKS_PER_MINUTE: '1000' })
		const { page } = await openPerson(scope, browser)
		await readableTerminals(page)
		await setUpInPage(page, up.link)
		await page.getByRole('button', { name: /^Pair with/ }).click()
		const line = await openAddMachine(page)
		const user = createSystemUser(scope)
		const home = homeOf(user.name)
		const joining = paste(line, home, {
			env: { NODE_NAME: 'theirs' },
			wrap: (command, args) => ['setpriv', ['--reuid', user.name, '--regid', user.name, '--init-groups', command, ...args]],
		})
		expect(await timeUntilShown(page, joining, 'theirs')).toBeLessThan(APPEARS_WITHIN_MS)
		expect(readFileSync(`/proc/${joining.pid}/cmdline`, 'utf8')).not.toContain('sly_join_v1')
		await expectShell(page, 'echo "$(whoami) at home in $HOME"', new RegExp(`${user.name} at home in \\S+`))
		const readable = readdirSync(`${home.folder}/state/sallyport/agent`, { withFileTypes: true })
		expect(readable.length).toBeGreaterThan(0)
	})
})

/** The folders of a home, handed over to a user. */
function homeOf(user: string): Home {
	const home = createHome(scope, `home-of-${user}`)
	const { uid, gid } = ids(user)
	for (const name of ['.', 'config', 'data', 'state', 'cache', 'run']) chownSync(`${home.folder}/${name}`, uid, gid)
	chmodSync(scope.folder, 0o711)
	return home
}

function ids(user: string): { readonly uid: number; readonly gid: number } {
	const fields = readFileSync('/etc/passwd', 'utf8')
		.split('\n')
		.map((line) => line.split(':'))
		.find(([name]) => name === user)
	return { uid: Number(fields?.[2]), gid: Number(fields?.[3]) }
}

describe.skipIf(whyNot !== undefined)(
	`a machine elsewhere in the network${whyNot === undefined ? '' : ` (skipped: ${whyNot})`}`,
	() => {
		let far: NetworkNamespace
		let page: Page
		let url: string
		let link: string
		let joined: Child

		beforeAll(async () => {
			far = createNamespace(scope)
			const port = await freePort('0.0.0.0')
			url = `http://${far.hostAddress}:${port}`
			const relay = await startRelay(scope, createHome(scope, 'relay'), {
				HOST: '0.0.0.0',
				PORT: String(port),
				PUBLIC_URL: url,
				NEW_LINKS_PER_MINUTE: '1000',
			})
			expect(relay.url).toBe(url)
			link = relay.link
			page = (await openPerson(scope, browser)).page
			await readableTerminals(page)
		})

		it('is no use to a browser over plain http off this machine, and the page says why', async () => {
			await page.goto(url)
			await expect.poll(() => page.locator('body').innerText()).toMatch(/https/)
		})

		it('is refused at first, since nothing encrypts the way there, in words that name the setting', async () => {
			// The way to the page that a browser takes for safe: on the relay's own machine, or through a tunnel to it.
			await setUpInPage(page, link.replace(far.hostAddress, '127.0.0.1'))
			await page.getByRole('heading', { name: 'Machines' }).waitFor()
			const line = await openAddMachine(page)
			const joining = paste(line, createHome(scope, 'careful'), { wrap: far.inside })
			expect(await joining.exited).toEqual({ status: 1, signal: null })
			expect(joining.stderr()).toContain(`${url} is not encrypted: use https://, or set RELAY_PLAIN_HTTP=true`)
			await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
		})

		it('joins by the pasted line where that is set, appears without a reload, and its terminal opens', async () => {
			const line = await openAddMachine(page)
			joined = paste(line, createHome(scope, 'far'), {
				env: { NODE_NAME: 'far-away', RELAY_PLAIN_HTTP: 'true' },
				wrap: far.inside,
			})
			expect(await timeUntilShown(page, joined, 'far-away')).toBeLessThan(APPEARS_WITHIN_MS)
			await expectShell(
				page,
				'ip -brief -4 address | awk \'/veth|sly/ {print "from", $3}\'',
				new RegExp(`from ${far.address}/30`),
			)
		})

		it('shows within a second that the machine is gone, with the reason', async () => {
			joined.kill('SIGKILL')
			const goneMs = performance.now()
			await page.getByRole('link', { name: 'Machines', exact: true }).first().click()
			await page.getByRole('button', { name: /^far-away: Offline/ }).waitFor()
			const tookMs = performance.now() - goneMs
			console.info(`its end was shown ${Math.round(tookMs)} ms later`)
			expect(tookMs).toBeLessThan(APPEARS_WITHIN_MS)
		})
	},
)
