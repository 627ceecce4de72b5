import { toast } from 'sonner'
import { plural } from '../lib/format.ts'
import { plainLine } from '../lib/hostile-text.ts'
import { needsPasteWarning, textToKeys } from '../lib/paste.ts'
import type { SettingsModel } from '../state/settings.ts'
import type { Tab, TabQuestion } from '../state/tabs.ts'
import { openLink } from './screen.ts'

export interface ClipboardDeps {
	readonly settings: SettingsModel
	readonly tab: () => Tab | undefined
	readonly ask: (question: TabQuestion | undefined) => void
	readonly hasPasteBrackets: () => boolean
	readonly selection: () => string
	readonly send: (text: string) => void
	readonly focus: () => void
}

/** Copy and paste of one terminal, by its person or, asked for, by a program in it. */
export class Clipboard {
	readonly #deps: ClipboardDeps

	constructor(deps: ClipboardDeps) {
		this.#deps = deps
	}

	copy(): void {
		const text = this.#deps.selection()
		if (text !== '') void this.#write(text)
	}

	/** Text that the browser brought by a paste or drop. */
	paste(text: string): void {
		if (text === '' || this.#deps.tab()?.phase.kind !== 'open') return
		if (!needsPasteWarning(text, this.#deps.hasPasteBrackets()))
			return this.#deps.send(textToKeys(text, this.#deps.hasPasteBrackets()))
		this.#deps.ask({
			kind: 'paste',
			text,
			answer: (isYes) => {
				this.#deps.ask(undefined)
				// The shell may have switched brackets on in the meantime.
				if (isYes) this.#deps.send(textToKeys(text, this.#deps.hasPasteBrackets()))
				this.#deps.focus()
			},
		})
	}

	/** From a menu or a mouse button, where the browser doesn't bring the text itself. */
	pasteFromClipboard(): void {
		navigator.clipboard.readText().then(
			(text) => this.paste(text),
			() => toast.info('The browser did not let this page read the clipboard. Paste by the keyboard instead.'),
		)
	}

	/** A program asks by OSC 52 to set the clipboard: its person decides. */
	wish(text: string): void {
		const tab = this.#deps.tab()
		if (tab === undefined || text === '') return
		if (this.#deps.settings.store.getState().clipboardNodes.includes(tab.nodeId)) return void this.#write(text)
		if (tab.question !== undefined) return
		this.#deps.ask({
			kind: 'clipboard',
			text,
			answer: (choice) => {
				this.#deps.ask(undefined)
				if (choice === 'always') {
					const { clipboardNodes } = this.#deps.settings.store.getState()
					this.#deps.settings.update({ clipboardNodes: [...clipboardNodes, tab.nodeId] })
				}
				if (choice !== 'no') void this.#write(text)
				this.#deps.focus()
			},
		})
	}

	confirmLink(href: string): void {
		if (this.#deps.tab()?.question !== undefined) return
		this.#deps.ask({
			kind: 'link',
			href,
			answer: (isYes) => {
				this.#deps.ask(undefined)
				if (isYes) openLink(href)
				this.#deps.focus()
			},
		})
	}

	async #write(text: string): Promise<void> {
		try {
			await navigator.clipboard.writeText(text)
			toast.success(`Copied ${plural(text.length, 'character')}`, { duration: 1200, description: plainLine(text, 48) })
		} catch {
			toast.error('The browser did not let this page set the clipboard. Use its own copy.')
		}
	}
}
