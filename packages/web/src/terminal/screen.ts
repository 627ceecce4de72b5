import type { TerminalSize } from '@sallyport/client'
import { FitAddon } from '@xterm/addon-fit'
import { SearchAddon } from '@xterm/addon-search'
import { UnicodeGraphemesAddon } from '@xterm/addon-unicode-graphemes'
import { WebLinksAddon } from '@xterm/addon-web-links'
import { WebglAddon } from '@xterm/addon-webgl'
import type { ITheme } from '@xterm/xterm'
import { Terminal } from '@xterm/xterm'
import { plainLine, safeLink } from '../lib/hostile-text.ts'
import { parseOsc52 } from '../lib/osc52.ts'
import type { TerminalTheme } from './themes.ts'

export interface ScreenLook {
	readonly theme: TerminalTheme
	readonly fontSize: number
	readonly cursorBlink: boolean
	readonly screenReader: boolean
}

export interface ScreenHandlers {
	readonly onKeys: (bytes: Uint8Array) => void
	readonly onResize: (size: TerminalSize) => void
	readonly onTitle: (title: string) => void
	readonly onBell: () => void
	/** A program wants to put text on the clipboard. Wishes to read it are dropped before they come here. */
	readonly onClipboardWish: (text: string) => void
	/** A hyperlink whose text may say something else than where it leads. */
	readonly onHiddenLink: (href: string) => void
	/** True: the key is the page's, not the terminal's. */
	readonly onKeyDown: (event: KeyboardEvent) => boolean
}

export const TERMINAL_FONT = "'JetBrains Mono Variable', ui-monospace, 'SF Mono', Menlo, Consolas, monospace"
const SCROLLBACK_LINES = 10_000
const encoder = new TextEncoder()

/** The emulator with what surrounds it: fit, search, links, graphemes, and WebGL with the DOM as its fallback. */
export class Screen {
	readonly term: Terminal
	readonly search: SearchAddon = new SearchAddon({ highlightLimit: 1000 })
	readonly #fit = new FitAddon()
	#webgl: WebglAddon | undefined

	constructor(look: ScreenLook, handlers: ScreenHandlers) {
		this.term = new Terminal({
			allowProposedApi: true,
			scrollback: SCROLLBACK_LINES,
			fontFamily: TERMINAL_FONT,
			fontSize: look.fontSize,
			lineHeight: 1.15,
			fontWeightBold: 600,
			theme: withScrollbar(look.theme),
			overviewRuler: { width: 10 },
			cursorBlink: look.cursorBlink,
			screenReaderMode: look.screenReader,
			minimumContrastRatio: 4.5,
			macOptionIsMeta: true,
			rightClickSelectsWord: false,
			linkHandler: { activate: (_event, text) => withSafeLink(text, handlers.onHiddenLink), allowNonHttpProtocols: false },
		})
		this.term.loadAddon(this.#fit)
		this.term.loadAddon(this.search)
		this.term.loadAddon(new UnicodeGraphemesAddon())
		this.term.loadAddon(new WebLinksAddon((_event, text) => withSafeLink(text, openLink)))
		this.term.onData((text) => handlers.onKeys(encoder.encode(text)))
		this.term.onBinary((text) => handlers.onKeys(Uint8Array.from(text, (char) => char.charCodeAt(0))))
		this.term.onResize(handlers.onResize)
		this.term.onTitleChange((title) => handlers.onTitle(plainLine(title, 80)))
		this.term.onBell(handlers.onBell)
		this.term.attachCustomKeyEventHandler((event) => event.type !== 'keydown' || !handlers.onKeyDown(event))
		this.term.parser.registerOscHandler(52, (payload) => {
			const wish = parseOsc52(payload)
			if (wish.kind === 'write') handlers.onClipboardWish(wish.text)
			return true
		})
	}

	/** Draws into `element`; the first time in the page's life of this terminal, or after it was moved. */
	mount(element: HTMLElement): void {
		if (this.term.element === undefined) {
			this.term.open(element)
			this.#startWebgl()
		} else element.append(this.term.element)
	}

	/** The size that fills the element, or undefined while it isn't shown. */
	fit(): TerminalSize | undefined {
		const size = this.#fit.proposeDimensions()
		if (size === undefined || !Number.isFinite(size.cols) || !Number.isFinite(size.rows)) return undefined
		const fitted = { cols: clamp(size.cols, 2, 1000), rows: clamp(size.rows, 1, 1000) }
		this.term.resize(fitted.cols, fitted.rows)
		return fitted
	}

	setLook(look: ScreenLook): void {
		this.term.options.theme = withScrollbar(look.theme)
		this.term.options.fontSize = look.fontSize
		this.term.options.cursorBlink = look.cursorBlink
		this.term.options.screenReaderMode = look.screenReader
	}

	dispose(): void {
		this.#webgl?.dispose()
		this.term.dispose()
	}

	#startWebgl(): void {
		try {
			const webgl = new WebglAddon()
			// Browsers take contexts away from pages with many of them: the DOM renderer goes on in its place.
			webgl.onContextLoss(() => {
				webgl.dispose()
				this.#webgl = undefined
			})
			this.term.loadAddon(webgl)
			this.#webgl = webgl
		} catch {
			// No WebGL here: the DOM renderer is in place already.
		}
	}
}

function withScrollbar(theme: TerminalTheme): ITheme {
	const { foreground } = theme
	return {
		...theme,
		scrollbarSliderBackground: `${foreground}26`,
		scrollbarSliderHoverBackground: `${foreground}4d`,
		scrollbarSliderActiveBackground: `${foreground}66`,
		overviewRulerBorder: '#00000000',
	}
}

export function openLink(href: string): void {
	window.open(href, '_blank', 'noopener,noreferrer')
}

function withSafeLink(text: string, use: (href: string) => void): void {
	const href = safeLink(text)
	if (href !== undefined) use(href)
}

function clamp(value: number, low: number, high: number): number {
	return Math.min(high, Math.max(low, Math.floor(value)))
}
