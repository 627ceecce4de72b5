import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import {
	createHome,
	createSystemUser,
	isRoot,
	launchChromium,
	openPerson,
	startSshd,
	startUp,
	useScope,
} from './harness/index.ts'
import { readableTerminals, setUpInPage, typeLine, waitForTerminal } from './web-world.ts'

const scope = useScope()
let page: Page
let sshd: Awaited<ReturnType<typeof startSshd>>

beforeAll(async () => {
	sshd = await startSshd(scope, { pam: isRoot() })
	const up = await startUp(scope, createHome(scope, 'up'), {
		NEW_LINKS_PER_MINUTE: '1000',
		SSH_HOST: sshd.host,
		SSH_PORT: String(sshd.port),
	})
	const person = await openPerson(scope, await launchChromium(scope))
	page = person.page
	await readableTerminals(page)
	await setUpInPage(page, up.link)
	await page.getByRole('button', { name: /^Pair with/ }).click()
	await page.getByRole('heading', { name: 'Machines' }).waitFor()
})

async function startLogin(user: string): Promise<void> {
	await page.getByRole('link', { name: 'Machines', exact: true }).first().click()
	await page.getByRole('button', { name: /^More for/ }).click()
	await page.getByRole('menuitem', { name: 'Log in by SSH' }).click()
	const card = page.getByRole('dialog')
	await card.getByRole('textbox').first().fill(user)
	await card.getByRole('button', { name: 'Continue' }).click()
}

describe('an SSH login in the page', { concurrent: false }, () => {
	it.runIf(isRoot())('asks a password again when it was wrong, then opens the shell', async () => {
		const user = createSystemUser(scope)
		await startLogin(user.name)
		const card = page.getByRole('dialog')
		await card.getByText(sshd.fingerprint()).waitFor()
		await card.locator('input[type=password]').first().fill('not the password')
		await card.getByRole('button', { name: 'Log in' }).click()
		await card.getByRole('alert').waitFor()
		await card.locator('input[type=password]').first().fill(user.password)
		await card.getByRole('button', { name: 'Log in' }).click()
		await waitForTerminal(page, /\$/)
		await typeLine(page, 'echo "I am $(id -un)"')
		await waitForTerminal(page, new RegExp(`I am ${user.name}`))
	})

	it('takes a private key by paste', async () => {
		await startLogin(sshd.user)
		const card = page.getByRole('dialog')
		await card.getByRole('radio', { name: 'Private key' }).click()
		await card.getByLabel('Private key', { exact: true }).fill(readFileSync(sshd.keyFile, 'utf8'))
		await card.getByRole('button', { name: 'Log in' }).click()
		await waitForTerminal(page, /[$#]/)
		await typeLine(page, 'echo by-key-$((20+3))')
		await waitForTerminal(page, /by-key-23/)
	})

	it('refuses a changed host key and shows both', async () => {
		const before = sshd.fingerprint()
		sshd.changeHostKey()
		await page.getByRole('link', { name: 'Machines', exact: true }).first().click()
		await page.getByRole('button', { name: /^More for/ }).click()
		await page.getByRole('menuitem', { name: 'Log in by SSH' }).click()
		const card = page.getByRole('dialog')
		const ended = page.getByText('The host key has changed: refused')
		await card.or(ended).first().waitFor()
		if (await card.isVisible()) {
			await card.getByRole('textbox').first().fill(sshd.user)
			await card.getByRole('button', { name: 'Continue' }).click()
		}
		await ended.waitFor()
		await page.getByText(before).waitFor()
		await page.getByText(sshd.fingerprint()).waitFor()
		expect(sshd.fingerprint()).not.toBe(before)
	})
})
