// Takes pictures of every screen, light and dark, wide and narrow: `npm run pictures -w packages/web -- DIR [name-filter]`.
// They are for looking at: nothing is compared.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { createServer } from 'vite'
import { SCENES } from './scenes.mjs'

const [dir = 'pictures', filter = '', onlyLook = ''] = process.argv.slice(2)
const LOOKS = [
	['light', 1280, 800],
	['dark', 1280, 800],
	['light', 360, 740],
	['dark', 360, 740],
]

await mkdir(dir, { recursive: true })
const server = await createServer({
	root: join(import.meta.dirname, '../..'),
	server: { port: 0, host: '127.0.0.1' },
	logLevel: 'error',
})
await server.listen()
const base = server.resolvedUrls?.local[0] ?? ''
const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
	args: [
		'--no-sandbox',
		'--disable-gpu',
		'--disable-quic',
		'--no-first-run',
		'--disable-background-networking',
		'--disable-component-update',
		'--disable-sync',
	],
})
try {
	for (const [theme, width, height] of LOOKS) {
		if (!`${theme}-${width}`.includes(onlyLook)) continue
		for (const scene of SCENES) {
			if (!scene.name.includes(filter)) continue
			const context = await browser.newContext({
				viewport: { width, height },
				colorScheme: theme,
				deviceScaleFactor: 1,
				hasTouch: width < 500,
				permissions: ['clipboard-read', 'clipboard-write'],
			})
			const page = await context.newPage()
			page.setDefaultTimeout(4000)
			page.on('pageerror', (error) => console.error(scene.name, error.message))
			page.on('console', (message) => message.type() === 'error' && console.error(scene.name, message.text()))
			try {
				await page.goto(`${base}preview.html${scene.query}`)
				await page.waitForLoadState('networkidle')
				await scene.act?.(page, width < 500)
				await page.waitForTimeout(350)
			} catch (error) {
				console.error(scene.name, theme, width, String(error).split('\n')[0])
			}
			await page.screenshot({ path: join(dir, `${scene.name}-${theme}-${width}.png`) })
			const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
			if (overflow > 0) console.error(`${scene.name} ${theme} ${width}: ${overflow} px too wide`)
			await context.close()
		}
	}
} finally {
	await browser.close()
	await server.close()
}
