import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import type { Scope } from './scope.ts'

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const FLAGS = [
	'--no-sandbox',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
	'--use-gl=angle',
	'--use-angle=swiftshader',
	'--enable-unsafe-swiftshader',
]

/** The system's Chromium; one for a test file, with a context for each person. */
export async function launchChromium(scope: Scope): Promise<Browser> {
	const executablePath = PROGRAMS.find((path) => existsSync(path))
	if (executablePath === undefined) throw new Error('no Chromium here: install it (on Debian: apt-get install chromium)')
	const browser = await chromium.launch({ executablePath, args: FLAGS, headless: true })
	scope.defer(() => browser.close())
	return browser
}

export interface Person {
	readonly context: BrowserContext
	readonly page: Page
	/** Console errors, failed requests and exceptions of the page, in order. */
	problems(): readonly string[]
}

/** A browser profile of its own, as another person or device has one. */
export async function openPerson(scope: Scope, browser: Browser, options: BrowserContextOptions = {}): Promise<Person> {
	const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
	const page = await context.newPage()
	const problems: string[] = []
	page.on('console', (message) => message.type() === 'error' && problems.push(`console: ${message.text()}`))
	page.on('pageerror', (error) => problems.push(`exception: ${error.message}`))
	page.on('requestfailed', (request) =>
		problems.push(`request: ${new URL(request.url()).pathname} ${request.failure()?.errorText}`),
	)
	scope.addLog('page', () => problems.join('\n'))
	return { context, page, problems: () => problems }
}
