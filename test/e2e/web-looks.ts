/**
 * A screen of the page over the preview's scripted client, held against what all of them must keep: contrast, names, width,
 * and a walk by keyboard alone that shows at each stop where one is. `PICTURES=folder` keeps a picture of each, for looking at.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { build, preview } from 'vite'
import { expect } from 'vitest'
import { launchChromium, openPerson, type Scope } from './harness/index.ts'
import { findFaults, readFocus } from './web-faults.ts'
import type { Scene } from './web-scenes.ts'

const ROOT = fileURLToPath(new URL('../../packages/web', import.meta.url))
const PICTURES = process.env.PICTURES
const MAX_STOPS = 60

export interface Look {
	readonly theme: 'light' | 'dark'
	readonly width: number
	readonly height: number
}

export const DESK_LIGHT: Look = { theme: 'light', width: 1280, height: 800 }
export const DESK_DARK: Look = { theme: 'dark', width: 1280, height: 800 }
export const PHONE_LIGHT: Look = { theme: 'light', width: 360, height: 740 }
export const PHONE_DARK: Look = { theme: 'dark', width: 360, height: 740 }

export interface Looker {
	/** Opens the scene in that look and expects no fault; `isWalked`: by keyboard too. */
	check(scene: Scene, look: Look, isWalked?: boolean): Promise<void>
}

export async function createLooker(scope: Scope): Promise<Looker> {
	const outDir = join(scope.folder, 'preview')
	await build({ root: ROOT, logLevel: 'error', build: { outDir, rolldownOptions: { input: join(ROOT, 'preview.html') } } })
	const server = await preview({ root: ROOT, logLevel: 'error', build: { outDir }, preview: { port: 0, host: '127.0.0.1' } })
	scope.defer(() => server.close())
	const base = server.resolvedUrls?.local[0] ?? ''
	const browser = await launchChromium(scope)
	if (PICTURES !== undefined) mkdirSync(PICTURES, { recursive: true })
	return {
		async check(scene, look, isWalked = false) {
			const page = await openScene({ scope, browser, base }, scene, look)
			try {
				await page.evaluate(() => document.fonts.ready.then(() => undefined))
				if (PICTURES !== undefined)
					await page.screenshot({ path: join(PICTURES, `${scene.name}-${look.theme}-${look.width}.png`) })
				expect(await page.evaluate(findFaults)).toEqual([])
				if (isWalked) expect(await unseenStops(page)).toEqual([])
			} finally {
				await page.context().close()
			}
		},
	}
}

interface Gallery {
	readonly scope: Scope
	readonly browser: Browser
	readonly base: string
}

async function openScene({ scope, browser, base }: Gallery, scene: Scene, look: Look): Promise<Page> {
	const isPhone = look.width < 500
	const { page } = await openPerson(scope, browser, {
		viewport: { width: look.width, height: look.height },
		colorScheme: look.theme,
		hasTouch: isPhone,
		reducedMotion: 'reduce',
		permissions: ['clipboard-read', 'clipboard-write'],
	})
	// Several scenes are open at a time, and the machine may be busy.
	page.setDefaultTimeout(30_000)
	await page.goto(`${base}preview.html${scene.query}`)
	await page.locator('main').first().waitFor()
	await scene.act?.(page, isPhone)
	return page
}

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
