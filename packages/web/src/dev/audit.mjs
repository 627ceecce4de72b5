// Looks at every screen for what a script can see: contrast (WCAG AA), names, and focus that shows.
// `npm run audit -w packages/web -- [name-filter]`; ends with 1 when it finds something.
import { openPreview } from './open-preview.mjs'
import { SCENES } from './scenes.mjs'

const [filter = ''] = process.argv.slice(2)
const MAX_STOPS = 60
let count = 0
const tell = (text) => {
	count++
	console.log(text)
}

/** Runs in the page. */
function findFaults() {
	const parse = (text) => {
		const canvas = document.createElement('canvas')
		canvas.width = canvas.height = 1
		const context = canvas.getContext('2d', { willReadFrequently: true })
		context.fillStyle = text
		context.fillRect(0, 0, 1, 1)
		const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data
		return { r, g, b, a: a / 255 }
	}
	const over = (top, below) => ({
		r: top.r * top.a + below.r * (1 - top.a),
		g: top.g * top.a + below.g * (1 - top.a),
		b: top.b * top.a + below.b * (1 - top.a),
		a: 1,
	})
	const luminance = ({ r, g, b }) => {
		const [x, y, z] = [r, g, b].map((value) =>
			value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
		)
		return 0.2126 * x + 0.7152 * y + 0.0722 * z
	}
	const ratio = (one, two) => {
		const [light, dark] = [luminance(one), luminance(two)].toSorted((a, b) => b - a)
		return (light + 0.05) / (dark + 0.05)
	}
	const backgroundOf = (element) => {
		const layers = []
		for (let at = element; at !== null; at = at.parentElement) {
			const colour = parse(getComputedStyle(at).backgroundColor)
			if (colour.a > 0) layers.push(colour)
			if (colour.a === 1) break
		}
		return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 })
	}
	const faults = []
	const modal = [...document.querySelectorAll('[role=dialog][data-state=open], [role=menu][data-state=open]')].at(-1)
	const walker = document.createTreeWalker(modal ?? document.body, NodeFilter.SHOW_TEXT)
	for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
		const element = node.parentElement
		if (
			element === null ||
			node.data.trim() === '' ||
			element.closest(
				'.xterm, .sr-only, [inert], [aria-hidden=true], :disabled, [aria-disabled=true], [data-disabled], script, style',
			)
		)
			continue
		const box = element.getBoundingClientRect()
		const style = getComputedStyle(element)
		if (box.width <= 1 || box.height <= 1 || style.visibility === 'hidden') continue
		const size = Number.parseFloat(style.fontSize)
		const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
		const found = ratio(over(parse(style.color), backgroundOf(element)), backgroundOf(element))
		if (found < (isLarge ? 3 : 4.5)) faults.push(`contrast ${found.toFixed(2)}: “${node.data.trim().slice(0, 40)}”`)
	}
	for (const control of document.querySelectorAll('button, a[href], input, select, textarea')) {
		if (control.closest('.xterm, [inert], [hidden], [aria-hidden=true]') || control.type === 'hidden') continue
		const label =
			control.getAttribute('aria-label') ??
			(control.labels?.[0]?.textContent || control.getAttribute('aria-labelledby') || control.textContent)
		if (label === null || label.trim() === '') faults.push(`no name: ${control.outerHTML.slice(0, 120)}`)
	}
	const ids = [...document.querySelectorAll('[id]')].map((element) => element.id)
	for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) faults.push(`id twice: ${id}`)
	return faults
}

/** Runs in the page: what has the focus, and whether one sees it. */
function focusState() {
	const element = document.activeElement
	if (element === null || element === document.body) return { kind: 'none' }
	if (element.closest('.xterm')) return { kind: 'terminal' }
	// Menus mark their items, and toasts bring a ring of their own.
	if (element.role === 'menu' || element.closest('[data-sonner-toaster]')) return { kind: 'own' }
	const style = getComputedStyle(element)
	const box = element.getBoundingClientRect()
	const isRinged = style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 1
	const ring = element.parentElement?.querySelector('.group-focus-within\\:ring-1') !== null
	const isFile = element.type === 'file'
	const name = element.getAttribute('aria-label') ?? element.textContent?.trim().slice(0, 40) ?? ''
	const isInside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth
	return {
		kind: 'control',
		key: `${element.tagName} ${name || element.name || element.id}`,
		isVisible: (isRinged || ring || isFile || element.id === 'main' || element.role === 'dialog') && isInside,
	}
}

const preview = await openPreview()
try {
	for (const theme of ['light', 'dark']) {
		for (const scene of SCENES.filter(({ name }) => name.includes(filter))) {
			const { page, close } = await preview.open({ theme, width: 1280, height: 800 })
			try {
				await page.goto(`${preview.base}preview.html${scene.query}`)
				await page.waitForLoadState('networkidle')
				await scene.act?.(page, false)
				await page.waitForTimeout(250)
				for (const fault of await page.evaluate(findFaults)) tell(`${scene.name} ${theme}: ${fault}`)
				if (theme === 'light') await walk(page, scene.name)
			} catch (error) {
				tell(`${scene.name} ${theme}: ${String(error).split('\n')[0]}`)
			}
			await close()
		}
	}
} finally {
	await preview.close()
}
console.log(count === 0 ? 'nothing found' : `${count} found`)
process.exitCode = count === 0 ? 0 : 1

async function walk(page, name) {
	const seen = new Set()
	for (let stop = 0; stop < MAX_STOPS; stop++) {
		await page.keyboard.press('Tab')
		const state = await page.evaluate(focusState)
		// Tab is the shell's in a terminal; Ctrl+Shift+Up leads out of it.
		if (state.kind === 'terminal') {
			await page.keyboard.press('Control+Shift+ArrowUp')
			const out = await page.evaluate(() => document.activeElement?.getAttribute('role'))
			if (out !== 'tab') tell(`${name}: the keyboard can't leave the terminal`)
			return
		}
		if (state.kind !== 'control') continue
		if (!state.isVisible) tell(`${name}: focus is not seen on ${state.key}`)
		if (seen.has(state.key)) return
		seen.add(state.key)
	}
}
