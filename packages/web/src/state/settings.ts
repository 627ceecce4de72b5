import { createStore } from 'zustand/vanilla'
import type { Stored } from '../lib/stored.ts'
import { isRecord } from '../lib/stored.ts'

export type ThemeChoice = 'system' | 'light' | 'dark'
export const TERMINAL_THEMES = ['match', 'gatehouse', 'daylight', 'nocturne', 'ember', 'fjord', 'paper', 'contrast'] as const
export type TerminalThemeId = (typeof TERMINAL_THEMES)[number]

/** What this browser remembers of its person's taste. Nothing secret. */
export interface Settings {
	readonly theme: ThemeChoice
	readonly terminalTheme: TerminalThemeId
	readonly fontSize: number
	readonly rightClick: 'menu' | 'paste'
	readonly copyOnSelect: boolean
	readonly cursorBlink: boolean
	readonly screenReader: boolean
	/** Nodes whose programs may write to the clipboard without asking. */
	readonly clipboardNodes: readonly string[]
}

export const FONT_SIZE = { min: 9, max: 28, default: 14 } as const

export const DEFAULT_SETTINGS: Settings = {
	theme: 'system',
	terminalTheme: 'match',
	fontSize: FONT_SIZE.default,
	rightClick: 'menu',
	copyOnSelect: false,
	cursorBlink: true,
	screenReader: false,
	clipboardNodes: [],
}

export function parseSettings(value: unknown): Settings {
	if (!isRecord(value)) return DEFAULT_SETTINGS
	const flag = (key: 'copyOnSelect' | 'cursorBlink' | 'screenReader') => {
		const found = value[key]
		return typeof found === 'boolean' ? found : DEFAULT_SETTINGS[key]
	}
	const theme = value['theme']
	return {
		theme: theme === 'light' || theme === 'dark' ? theme : 'system',
		terminalTheme: TERMINAL_THEMES.find((id) => id === value['terminalTheme']) ?? 'match',
		fontSize: clampFontSize(typeof value['fontSize'] === 'number' ? value['fontSize'] : FONT_SIZE.default),
		rightClick: value['rightClick'] === 'paste' ? 'paste' : 'menu',
		copyOnSelect: flag('copyOnSelect'),
		cursorBlink: flag('cursorBlink'),
		screenReader: flag('screenReader'),
		clipboardNodes: Array.isArray(value['clipboardNodes'])
			? value['clipboardNodes'].filter((id): id is string => typeof id === 'string').slice(0, 500)
			: [],
	}
}

export function clampFontSize(size: number): number {
	return Number.isFinite(size) ? Math.min(FONT_SIZE.max, Math.max(FONT_SIZE.min, Math.round(size))) : FONT_SIZE.default
}

export function createSettings(stored: Stored<Settings>) {
	const store = createStore<Settings>(() => stored.read())
	return {
		store,
		update(change: Partial<Settings>) {
			store.setState(change)
			stored.write(store.getState())
		},
		changeFontSize(step: number) {
			this.update({ fontSize: step === 0 ? FONT_SIZE.default : clampFontSize(store.getState().fontSize + step) })
		},
	}
}
export type SettingsModel = ReturnType<typeof createSettings>

/** Keeps `data-theme` on the page in step with the choice and the system. Returns the stop. */
export function followTheme(settings: SettingsModel, root: HTMLElement, prefersDark: MediaQueryList): () => void {
	const apply = () => {
		root.dataset['theme'] = resolveTheme(settings.store.getState().theme, prefersDark.matches)
	}
	const stop = settings.store.subscribe(apply)
	prefersDark.addEventListener('change', apply)
	apply()
	return () => {
		stop()
		prefersDark.removeEventListener('change', apply)
	}
}

export function resolveTheme(choice: ThemeChoice, prefersDark: boolean): 'light' | 'dark' {
	if (choice === 'system') return prefersDark ? 'dark' : 'light'
	return choice
}
