import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
	createHome,
	launchChromium,
	openPerson,
	type Person,
	type Running,
	startSally,
	startUp,
	useScope,
	waitFor,
} from './harness/index.ts'
import { readableTerminals, setUpInPage, signInOnPage, terminalText, typeLine, waitForTerminal } from './web-world.ts'

const scope = useScope()
let up: Running
let owner: Person
let browser: Awaited<ReturnType<typeof launchChromium>>
const foreignRequests: string[] = []

beforeAll(async () => {
	browser = await launchChromium(scope)
	up = await startUp(scope, createHome(scope, 'up'), { NEW_LINKS_PER_MINUTE: '1000' })
	owner = await openPerson(scope, browser, { permissions: ['clipboard-read', 'clipboard-write'] })
	owner.page.on('request', (request) => {
		if (!request.url().startsWith(up.origin) && !/^(data|blob):/.test(request.url())) foreignRequests.push(request.url())
	})
	await readableTerminals(owner.page)
})

describe('the page, from the first run on', { concurrent: false }, () => {
	it('takes the one-use link, wipes its secrets, and makes the owner', async () => {
		const { page } = owner
		await setUpInPage(page, up.link)
		await page.getByRole('button', { name: /^Pair with/ }).waitFor()
		expect(page.url()).toBe(`${up.origin}/#/`)
		expect(await page.evaluate(() => history.length)).toBeLessThanOrEqual(2)
	})

	it('pairs this machine and opens its shell by one click', async () => {
		const { page } = owner
		await page.getByRole('button', { name: /^Pair with/ }).click()
		await page.getByRole('button', { name: /^Open terminal on/ }).click()
		await waitForTerminal(page, /\$|#/)
		await typeLine(page, 'echo six times seven is $((6*7))')
		expect(await waitForTerminal(page, /seven is 42/)).toContain('six times seven is 42')
	})

	it('has the same shell after a reload, with what it had printed', async () => {
		const { page } = owner
		await typeLine(page, 'remembered=yes-$$')
		await page.reload()
		await waitForTerminal(page, /seven is 42/)
		await page.locator('.xterm-helper-textarea').focus()
		await typeLine(page, 'echo "is it: $remembered"')
		expect(await waitForTerminal(page, /is it: yes-\d+/)).toMatch(/is it: yes-\d+/)
	})

	it('pastes a megabyte into a program, asked first, with nothing cut', async () => {
		const { page } = owner
		const file = join(up.home.folder, 'pasted')
		const text = Array.from({ length: 16_000 }, (_, index) => `${index} ${'x'.repeat(56)}`).join('\n')
		await typeLine(page, `cat > ${file}`)
		await waitForTerminal(page, /cat > /)
		await page.evaluate((pasted) => navigator.clipboard.writeText(pasted), text)
		await page.keyboard.press('Control+Shift+V')
		await page.getByRole('dialog', { name: 'Paste 16000 lines?' }).getByRole('button', { name: 'Paste' }).click()
		const wanted = createHash('sha256').update(text).digest('hex')
		await page.keyboard.press('Enter')
		await page.keyboard.press('Control+D')
		await waitFor(
			'the whole paste on disk',
			() => existsSync(file) && createHash('sha256').update(readFileSync(file, 'utf8').trimEnd()).digest('hex') === wanted,
			60_000,
		)
	})

	it('says how the shell ended and starts another by Enter', async () => {
		const { page } = owner
		await typeLine(page, 'exit 3')
		await page.getByText('The shell has exited with status 3.').waitFor()
		await page.keyboard.press('Enter')
		await waitFor(
			'an empty screen with a prompt',
			async () => !/exit 3/.test(await terminalText(page)) && /\$|#/.test(await terminalText(page)),
		)
		await typeLine(page, 'echo again-$((1+1))')
		await waitForTerminal(page, /again-2/)
	})

	it('shows a machine that joins by the pasted command, paired and without a reload', async () => {
		const { page } = owner
		await page.getByRole('link', { name: 'Machines', exact: true }).first().click()
		await page.getByRole('button', { name: 'Add machine' }).click()
		const command = (await page.getByLabel('Join command').textContent()) ?? ''
		expect(command).toMatch(/^sally agent join sly_join_v1\./)
		const home = createHome(scope, 'second')
		startSally(scope, home, [
			'agent',
			'join',
			'--yes',
			'--port',
			'0',
			'--node-name',
			'second-box',
			command.split(' ').at(-1) ?? '',
		])
		await page.getByText('second-box joined and is paired').waitFor({ timeout: 20_000 })
		await page.getByRole('dialog').getByRole('button', { name: 'Open terminal' }).click()
		await waitForTerminal(page, /\$|#/)
		await typeLine(page, 'echo here-$((40+2))')
		await waitForTerminal(page, /here-42/)
		expect(await page.title()).toContain('Sallyport')
	})

	it('lets another browser in by a code typed both ways', async () => {
		const other = await openPerson(scope, browser)
		await readableTerminals(other.page)
		await signInOnPage(other.page, up.origin)
		await other.page.getByRole('button', { name: 'Pair this browser with second-box' }).click()
		const code = (await other.page.getByLabel(/^Approve code/).textContent()) ?? ''
		await owner.page.getByRole('button', { name: 'Review' }).click()
		await owner.page.getByLabel('The six digits that the device shows').fill(code)
		const returned = (await owner.page.getByLabel(/^Return code/).textContent()) ?? ''
		await owner.page.getByRole('button', { name: 'Done' }).click()
		await other.page.getByLabel('Return code').fill(returned)
		await other.page.getByText('Paired with second-box').waitFor()
		await other.page.getByRole('dialog').getByRole('button', { name: 'Open terminal' }).click()
		await waitForTerminal(other.page, /\$|#/)
		await typeLine(other.page, 'echo from the other one')
		await waitForTerminal(other.page, /from the other one\n/)
	})

	it('asks nobody but its own relay, and breaks neither its policy nor itself', () => {
		expect(foreignRequests).toEqual([])
		expect(owner.problems().filter((problem) => /^exception|Refused to|violates/.test(problem))).toEqual([])
	})
})
