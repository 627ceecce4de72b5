/** Screens of the page's preview (a scripted client) and the steps that lead to each. */
import type { Page } from 'playwright-core'

export interface Scene {
	readonly name: string
	/** Query and fragment of the preview's address. */
	readonly query: string
	readonly act?: (page: Page, isPhone: boolean) => Promise<void>
}

const openTerminal = async (page: Page, name = 'build-box') => {
	await page.getByRole('button', { name: `Open terminal on ${name}` }).click()
	await page.locator('[role=tabpanel]:not([inert]) .xterm-screen').waitFor()
	await page.waitForTimeout(300)
}
const more = async (page: Page, name: string, item: string) => {
	await page.getByRole('button', { name: `More for ${name}` }).click()
	await page.getByRole('menuitem', { name: item }).click()
}
const type = async (page: Page, text: string) => {
	await page.keyboard.type(text)
	await page.keyboard.press('Enter')
}

export const SCENES: readonly Scene[] = [
	{ name: 'setup', query: '?scene=setup' },
	{
		name: 'setup-errors',
		query: '?scene=setup',
		act: async (page) => {
			await page.getByLabel('E-mail').fill('ada')
			await page.getByLabel('Password', { exact: true }).fill('correct horse')
			await page.getByRole('button', { name: 'Create account' }).click()
		},
	},
	{
		name: 'first-run-invite',
		query: '?scene=setup',
		act: async (page) => {
			await page.getByLabel('E-mail').fill('ada@example.com')
			await page.getByLabel('User name').fill('ada')
			await page.getByLabel('Password', { exact: true }).fill('correct horse battery')
			await page.getByRole('button', { name: 'Create account' }).click()
			await page.getByRole('button', { name: 'Pair with build-box' }).waitFor()
		},
	},
	{
		name: 'first-run-done',
		query: '?scene=setup',
		act: async (page) => {
			await page.getByLabel('E-mail').fill('ada@example.com')
			await page.getByLabel('User name').fill('ada')
			await page.getByLabel('Password', { exact: true }).fill('correct horse battery')
			await page.getByRole('button', { name: 'Create account' }).click()
			await page.getByRole('button', { name: 'Pair with build-box' }).click()
			await page.getByRole('heading', { name: 'Machines' }).waitFor()
		},
	},
	{ name: 'awaiting-owner', query: '?scene=awaiting-owner' },
	{ name: 'unreachable', query: '?scene=offline-relay' },
	{ name: 'sign-in', query: '?scene=signed-out' },
	{
		name: 'sign-in-wrong',
		query: '?scene=signed-out',
		act: async (page) => {
			await page.getByLabel('E-mail').fill('ada@example.com')
			await page.getByLabel('Password', { exact: true }).fill('wrong')
			await page.getByRole('button', { name: 'Sign in' }).click()
		},
	},
	{ name: 'machines', query: '' },
	{ name: 'machines-empty', query: '?scene=empty' },
	{ name: 'machines-loading', query: '?scene=loading' },
	{ name: 'machines-failed', query: '?scene=list-fails' },
	{ name: 'machines-interrupted', query: '?scene=interrupted' },
	{ name: 'machines-filter', query: '', act: (page) => page.getByLabel('Filter machines').fill('raspberry') },
	{ name: 'machines-no-match', query: '', act: (page) => page.getByLabel('Filter machines').fill('moat') },
	{ name: 'machine-menu', query: '', act: (page) => page.getByRole('button', { name: 'More for build-box' }).click() },
	{ name: 'machine-details', query: '', act: (page) => more(page, 'build-box', 'Details') },
	{
		name: 'machine-details-end',
		query: '',
		act: async (page) => {
			await more(page, 'build-box', 'Details')
			await page.getByRole('button', { name: 'Unpair this browser' }).scrollIntoViewIfNeeded()
		},
	},
	{ name: 'machine-rename', query: '', act: (page) => more(page, 'build-box', 'Rename') },
	{ name: 'machine-remove', query: '', act: (page) => more(page, 'build-box', 'Remove') },
	{ name: 'add-machine', query: '', act: (page) => page.getByRole('button', { name: 'Add machine' }).first().click() },
	{
		name: 'add-machine-joined',
		query: '?joins',
		act: async (page) => {
			await page.getByRole('button', { name: 'Add machine' }).first().click()
			await page.getByText('joined and is paired').waitFor()
		},
	},
	{
		name: 'pair-code',
		query: '',
		act: async (page) => {
			await page.getByRole('button', { name: 'Pair this browser with gpu-lab' }).click()
			await page.getByText('expires in').waitFor()
		},
	},
	{
		name: 'pair-return-code',
		query: '?approves',
		act: async (page) => {
			await page.getByRole('button', { name: 'Pair this browser with gpu-lab' }).click()
			await page.getByLabel('Return code').fill('73')
		},
	},
	{
		name: 'pair-wrong-return-code',
		query: '?approves',
		act: async (page) => {
			await page.getByRole('button', { name: 'Pair this browser with gpu-lab' }).click()
			await page.getByLabel('Return code').fill('7300')
		},
	},
	{
		name: 'pair-done',
		query: '?approves',
		act: async (page) => {
			await page.getByRole('button', { name: 'Pair this browser with gpu-lab' }).click()
			await page.getByLabel('Return code').fill('7305')
		},
	},
	{ name: 'knock', query: '?scene=knock', act: (page) => page.getByText('asks to be let in').waitFor() },
	{
		name: 'knock-review',
		query: '?scene=knock',
		act: async (page) => {
			await page.getByRole('button', { name: 'Review' }).click()
			await page.getByLabel('The six digits').fill('482')
		},
	},
	{
		name: 'knock-let-in',
		query: '?scene=knock',
		act: async (page) => {
			await page.getByRole('button', { name: 'Review' }).click()
			await page.getByLabel('The six digits').fill('482177')
		},
	},
	{ name: 'invite', query: '?invite' },
	{ name: 'terminal', query: '', act: (page) => openTerminal(page) },
	{
		name: 'terminal-tabs',
		query: '',
		act: async (page, isPhone) => {
			await openTerminal(page)
			for (const name of ['db-primary', 'garage-pi']) {
				await page
					.getByRole('link', { name: 'Machines' })
					.last()
					.click({ timeout: 2000 })
					.catch(() => page.getByRole('link', { name: 'Machines', exact: true }).first().click())
				await openTerminal(page, name)
			}
			if (!isPhone) await page.getByRole('button', { name: 'New terminal' }).click()
		},
	},
	{
		name: 'terminal-search',
		query: '',
		act: async (page) => {
			await openTerminal(page)
			await page.keyboard.press('Control+Shift+F')
			await page.keyboard.type('test')
		},
	},
	{
		name: 'terminal-paste',
		query: '',
		act: async (page) => {
			await openTerminal(page)
			await page.evaluate(() =>
				navigator.clipboard.writeText('sudo systemctl stop relay\nrm -rf /var/lib/relay\nsudo systemctl start relay\n'),
			)
			await page.keyboard.press('Control+Shift+V')
			await page.getByText('Paste 3 lines?').waitFor({ timeout: 3000 })
		},
	},
	{
		name: 'terminal-clipboard',
		query: '',
		act: async (page) => {
			await openTerminal(page)
			await type(page, 'clip')
		},
	},
	{
		name: 'terminal-exit',
		query: '',
		act: async (page) => {
			await openTerminal(page)
			await type(page, 'exit 3')
		},
	},
	{
		name: 'terminal-lost',
		query: '?drops',
		act: async (page) => {
			await openTerminal(page)
			await type(page, 'cut')
		},
	},
	{
		name: 'terminal-offline',
		query: '?drops',
		act: async (page) => {
			await openTerminal(page)
			await type(page, 'away')
			await page.getByText('The shell has exited').waitFor()
			await page.keyboard.press('Enter')
			await page.getByText('The machine is offline').waitFor()
		},
	},
	{ name: 'terminals-empty', query: '#/terminals' },
	{
		name: 'terminal-menu',
		query: '',
		act: async (page) => {
			await openTerminal(page)
			await page.locator('.xterm-screen').click({ button: 'right', position: { x: 120, y: 90 } })
		},
	},
	{
		name: 'ssh-user',
		query: '',
		act: async (page) => {
			await more(page, 'build-box', 'Log in by SSH')
			await page.getByLabel('User name').waitFor()
		},
	},
	{
		name: 'ssh-wrong-password',
		query: '',
		act: async (page) => {
			await more(page, 'build-box', 'Log in by SSH')
			await page.getByLabel('User name').fill('ada')
			await page.getByRole('button', { name: 'Continue' }).click()
			await page.getByLabel('Password', { exact: true }).last().fill('nope')
			await page.getByRole('button', { name: 'Log in' }).click()
			await page.getByText('Permission denied').waitFor()
		},
	},
	{
		name: 'ssh-key',
		query: '',
		act: async (page) => {
			await more(page, 'build-box', 'Log in by SSH')
			await page.getByLabel('User name').fill('ada')
			await page.getByRole('button', { name: 'Continue' }).click()
			await page.getByRole('radio', { name: 'Private key' }).click()
		},
	},
	{
		name: 'ssh-host-key-changed',
		query: '',
		act: async (page) => {
			await more(page, 'edge-fra-1', 'Log in by SSH')
			await page.getByText('The host key has changed').waitFor()
		},
	},
	{ name: 'connections', query: '#/connections' },
	{ name: 'devices', query: '#/devices' },
	{
		name: 'devices-open',
		query: '#/devices',
		act: (page) => page.getByRole('button', { name: 'Devices' }).first().click(),
	},
	{
		name: 'device-revoke',
		query: '#/devices',
		act: async (page) => {
			await page.getByRole('button', { name: 'Devices' }).first().click()
			await page.getByRole('button', { name: 'Revoke Safari on iPhone' }).click()
		},
	},
	{ name: 'settings', query: '#/settings' },
	{ name: 'settings-sign-ins', query: '#/settings/sign-ins' },
	{ name: 'settings-tokens', query: '#/settings/tokens' },
	{ name: 'settings-tokens-empty', query: '?scene=empty#/settings/tokens' },
	{ name: 'token-new', query: '#/settings/tokens', act: (page) => page.getByRole('button', { name: 'New token' }).click() },
	{
		name: 'token-shown',
		query: '#/settings/tokens',
		act: async (page) => {
			await page.getByRole('button', { name: 'New token' }).click()
			await page.getByLabel('Name').fill('backup')
			await page.getByRole('button', { name: 'Create token' }).click()
			await page.getByText('It is shown this once').waitFor()
		},
	},
	{ name: 'settings-appearance', query: '#/settings/appearance' },
	{ name: 'user-menu', query: '', act: (page) => page.getByRole('button', { name: 'Account of ada' }).click() },
	{ name: 'shortcuts', query: '', act: (page) => page.keyboard.press('?') },
	{
		name: 'sign-in-again',
		query: '',
		act: (page) => page.evaluate(() => void window.dispatchEvent(new Event('preview-expire'))),
	},
]
