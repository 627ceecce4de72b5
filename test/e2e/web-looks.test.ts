/**
 * Every screen of the page, over the preview's scripted client: contrast, names, width, and (in the first look) a walk by
 * keyboard alone that must show at each stop where one is.
 * `PICTURES=folder` keeps a picture of each, for looking at.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { build, preview } from 'vite'
import { beforeAll, describe, expect, it } from 'vitest'
import { launchChromium, openPerson, useScope } from './harness/index.ts'
import { findFaults, readFocus } from './web-faults.ts'
import { SCENES, type Scene } from './web-scenes.ts'

const ROOT = fileURLToPath(new URL('../../packages/web', import.meta.url))
const PICTURES = process.env.PICTURES
const LOOKS = [
	{ theme: 'light', width: 1280, height: 800 },
	{ theme: 'dark', width: 1280, height: 800 },
	{ theme: 'light', width: 360, height: 740 },
] as const
const MAX_STOPS = 60

const scope = useScope()
let browser: Browser
let base: string

beforeAll(async () => {
	const outDir = join(scope.folder, 'preview')
	await build({ root: ROOT, logLevel: 'error', build: { outDir, rolldownOptions: { input: join(ROOT, 'preview.html') } } })
	const server = await preview({ root: ROOT, logLevel: 'error', build: { outDir }, preview: { port: 0, host: '127.0.0.1' } })
	scope.defer(() => server.close())
	base = server.resolvedUrls?.local[0] ?? ''
	browser = await launchChromium(scope)
	if (PICTURES !== undefined) mkdirSync(PICTURES, { recursive: true })
})

async function openScene(scene: Scene, look: (typeof LOOKS)[number]): Promise<Page> {
	const { context, page } = await openPerson(scope, browser, {
		viewport: { width: look.width, height: look.height },
		colorScheme: look.theme,
		hasTouch: look.width < 500,
		reducedMotion: 'reduce',
		permissions: ['clipboard-read', 'clipboard-write'],
	})
	scope.defer(() => context.close())
	page.setDefaultTimeout(8000)
	await page.goto(`${base}preview.html${scene.query}`)
	await page.locator('main').first().waitFor()
	await scene.act?.(page, look.width < 500)
	return page
}

describe.each(LOOKS)('in $theme at $width px', (look) => {
	it.each(SCENES.map((scene) => ({ name: scene.name, scene })))(
		'$name can be read, and walked by keyboard',
		async ({ scene }) => {
			const page = await openScene(scene, look)
			try {
				await page.evaluate(() => document.fonts.ready.then(() => undefined))
				if (PICTURES !== undefined)
					await page.screenshot({ path: join(PICTURES, `${scene.name}-${look.theme}-${look.width}.png`) })
				expect(await page.evaluate(findFaults)).toEqual([])
				if (look === LOOKS[0]) expect(await unseenStops(page)).toEqual([])
			} finally {
				await page.context().close()
			}
		},
	)
})

/** Walks by Tab until it comes round; in a terminal Tab is the shell's, and Ctrl+Shift+Up leads out. */
async function unseenStops(page: Page): Promise<readonly string[]> {
	const seen = new Set<string>()
	const unseen: string[] = []
	let wasToast = false
	for (let stop = 0; stop < MAX_STOPS; stop++) {
		await page.keyboard.press('Tab')
		const focus = await page.evaluate(readFocus)
		if (focus.kind === 'terminal') {
			await page.keyboard.press('Control+Shift+ArrowUp')
			const role = await page.evaluate(() => document.activeElement?.getAttribute('role'))
			return role === 'tab' ? unseen : [...unseen, 'no way out of the terminal']
		}
		// A toast that is left hands the focus back by script, which browsers don't mark; the next Tab does.
		if (focus.kind === 'control' && !focus.isSeen && !wasToast) unseen.push(focus.name)
		wasToast = focus.kind === 'own'
		if (focus.kind === 'control' && seen.has(focus.name)) return unseen
		seen.add(focus.name)
	}
	return unseen
}
