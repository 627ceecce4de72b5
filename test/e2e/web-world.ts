/** People at browsers: what they do on the page, by what they see there. */
import type { Locator, Page } from 'playwright-core'
import { OWNER } from './cli-world.ts'
import { waitFor } from './harness/index.ts'

/** The emulator also writes its text as plain lines, which tests read; drawing is tested by eye. */
export async function readableTerminals(page: Page): Promise<void> {
	await page.addInitScript(() => {
		if (localStorage.getItem('sallyport.settings') === null)
			localStorage.setItem('sallyport.settings', JSON.stringify({ screenReader: true }))
	})
}

export async function setUpInPage(page: Page, link: string): Promise<void> {
	await page.goto(link)
	await page.getByLabel('E-mail').fill(OWNER.email)
	await page.getByLabel('User name').fill(OWNER.username)
	await page.getByLabel('Password', { exact: true }).fill(OWNER.password)
	await page.getByRole('button', { name: 'Create account' }).click()
}

export async function signInOnPage(page: Page, origin: string): Promise<void> {
	await page.goto(origin)
	await page.getByLabel('E-mail').fill(OWNER.email)
	await page.getByLabel('Password', { exact: true }).fill(OWNER.password)
	await page.getByRole('button', { name: 'Sign in' }).click()
	await page.getByRole('heading', { name: 'Machines' }).waitFor()
}

/** The chosen terminal's lines, without those that are empty. */
export async function terminalText(page: Page): Promise<string> {
	const lines = await terminalPane(page).locator('.xterm-accessibility-tree > div').allTextContents()
	return lines
		.map((line) => line.replaceAll('\u00a0', ' ').trimEnd())
		.join('\n')
		.trim()
}

export function terminalPane(page: Page): Locator {
	return page.locator('[role=tabpanel]:not([inert])')
}

export async function waitForTerminal(page: Page, pattern: RegExp, timeoutMs = 15_000): Promise<string> {
	return waitFor(
		`${pattern} in the terminal`,
		async () => {
			const text = await terminalText(page)
			return pattern.test(text) && text
		},
		timeoutMs,
	)
}

export async function typeLine(page: Page, text: string): Promise<void> {
	await page.keyboard.type(text)
	await page.keyboard.press('Enter')
}
