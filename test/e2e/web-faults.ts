/** What a script can see of a screen. Each function runs inside the page and stands alone. */

/** Contrast below WCAG AA, controls without a name, ids that stand twice, and a page wider than its window. */
export function findFaults(): string[] {
	interface Colour {
		readonly r: number
		readonly g: number
		readonly b: number
		readonly a: number
	}
	const white: Colour = { r: 255, g: 255, b: 255, a: 1 }
	const canvas = document.createElement('canvas')
	const context = canvas.getContext('2d', { willReadFrequently: true })
	const parse = (text: string): Colour => {
		if (context === null) return white
		context.clearRect(0, 0, 1, 1)
		context.fillStyle = text
		context.fillRect(0, 0, 1, 1)
		const [r = 0, g = 0, b = 0, a = 0] = context.getImageData(0, 0, 1, 1).data
		return { r, g, b, a: a / 255 }
	}
	const mix = (top: Colour, below: Colour): Colour => ({
		r: top.r * top.a + below.r * (1 - top.a),
		g: top.g * top.a + below.g * (1 - top.a),
		b: top.b * top.a + below.b * (1 - top.a),
		a: 1,
	})
	const linear = (value: number) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4)
	const luminance = ({ r, g, b }: Colour) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
	const contrast = (one: Colour, two: Colour) => {
		const [low, high] = [luminance(one), luminance(two)].sort((left, right) => left - right)
		return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05)
	}
	const groundOf = (element: Element): Colour => {
		const layers: Colour[] = []
		for (let at: Element | null = element; at !== null; at = at.parentElement) {
			const colour = parse(getComputedStyle(at).backgroundColor)
			if (colour.a > 0) layers.push(colour)
			if (colour.a === 1) break
		}
		return layers.reduceRight((below, top) => mix(top, below), white)
	}
	const isLeftOut = (element: Element) =>
		element.closest(
			'.xterm, .sr-only, [inert], [aria-hidden=true], :disabled, [aria-disabled=true], [data-disabled], script, style',
		) !== null
	const contrastFault = (element: Element, text: string): string[] => {
		const box = element.getBoundingClientRect()
		const style = getComputedStyle(element)
		if (box.width <= 1 || box.height <= 1 || style.visibility === 'hidden') return []
		const size = Number.parseFloat(style.fontSize)
		const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
		const ground = groundOf(element)
		const found = contrast(mix(parse(style.color), ground), ground)
		return found < (isLarge ? 3 : 4.5) ? [`contrast ${found.toFixed(2)}: ${text.slice(0, 40)}`] : []
	}

	const faults: string[] = []
	const front = [...document.querySelectorAll('[role=dialog][data-state=open], [role=menu][data-state=open]')].at(-1)
	const walker = document.createTreeWalker(front ?? document.body, NodeFilter.SHOW_TEXT)
	for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
		const text = node.nodeValue?.trim() ?? ''
		const element = node.parentElement
		if (element !== null && text !== '' && !isLeftOut(element)) faults.push(...contrastFault(element, text))
	}
	for (const control of document.querySelectorAll<HTMLElement>('button, a[href], input:not([type=hidden]), select, textarea')) {
		if (control.closest('.xterm, [inert], [hidden], [aria-hidden=true]') !== null) continue
		const labels = 'labels' in control && control.labels instanceof NodeList ? control.labels : undefined
		const name = control.ariaLabel ?? labels?.[0]?.textContent ?? control.textContent ?? ''
		const isNamed = name.trim() !== '' || control.hasAttribute('aria-labelledby') || control instanceof HTMLTextAreaElement
		if (!isNamed) faults.push(`no name: ${control.outerHTML.slice(0, 120)}`)
	}
	const ids = [...document.querySelectorAll('[id]')].map((element) => element.id)
	for (const id of new Set(ids.filter((one, index) => ids.indexOf(one) !== index))) faults.push(`id twice: ${id}`)
	const excess = document.documentElement.scrollWidth - innerWidth
	if (excess > 0) faults.push(`${excess} px too wide`)
	return faults
}

export interface FocusState {
	readonly kind: 'none' | 'terminal' | 'own' | 'control'
	readonly name: string
	readonly isSeen: boolean
}

/** What has the focus, and whether one sees that it has. */
export function readFocus(): FocusState {
	const element = document.activeElement
	if (!(element instanceof HTMLElement) || element === document.body) return { kind: 'none', name: '', isSeen: true }
	if (element.closest('.xterm') !== null) return { kind: 'terminal', name: '', isSeen: true }
	// Menus mark their items, and toasts bring a ring of their own.
	if (element.getAttribute('role') === 'menu' || element.closest('[data-sonner-toaster]') !== null)
		return { kind: 'own', name: '', isSeen: true }
	const style = getComputedStyle(element)
	const box = element.getBoundingClientRect()
	const isRinged = style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 1
	const isRingedByParent = element.parentElement?.querySelector('.group-focus-within\\:ring-1') !== null
	const isWhole = element.id === 'main' || element.getAttribute('role') === 'dialog'
	const isFile = element instanceof HTMLInputElement && element.type === 'file'
	const isInside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth
	return {
		kind: 'control',
		name: `${element.tagName} ${element.ariaLabel ?? element.textContent?.trim().slice(0, 40) ?? ''} ${element.id}`,
		isSeen: (isRinged || isRingedByParent || isWhole || isFile) && isInside,
	}
}
