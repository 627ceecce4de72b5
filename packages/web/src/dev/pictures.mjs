// Takes pictures of every screen, light and dark, wide and narrow: `npm run pictures -w packages/web -- DIR [name-filter] [look]`.
// They are for looking at: nothing is compared.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openPreview } from './open-preview.mjs'
import { SCENES } from './scenes.mjs'

const [dir = 'pictures', filter = '', onlyLook = ''] = process.argv.slice(2)
const LOOKS = [
	{ theme: 'light', width: 1280, height: 800 },
	{ theme: 'dark', width: 1280, height: 800 },
	{ theme: 'light', width: 360, height: 740 },
	{ theme: 'dark', width: 360, height: 740 },
]

await mkdir(dir, { recursive: true })
const preview = await openPreview()
try {
	for (const look of LOOKS.filter(({ theme, width }) => `${theme}-${width}`.includes(onlyLook))) {
		for (const scene of SCENES.filter(({ name }) => name.includes(filter))) await take(look, scene)
	}
} finally {
	await preview.close()
}

async function take(look, scene) {
	const { page, close } = await preview.open(look)
	const name = `${scene.name}-${look.theme}-${look.width}`
	try {
		await page.goto(`${preview.base}preview.html${scene.query}`)
		await page.waitForLoadState('networkidle')
		await scene.act?.(page, look.width < 500)
		await page.waitForTimeout(350)
	} catch (error) {
		console.error(name, String(error).split('\n')[0])
	}
	await page.screenshot({ path: join(dir, `${name}.png`) })
	const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
	if (excess > 0) console.error(`${name}: ${excess} px too wide`)
	await close()
}
