import type { TerminalThemeId } from '../state/settings.ts'

export interface TerminalTheme {
	readonly background: string
	readonly foreground: string
	readonly cursor: string
	readonly cursorAccent: string
	readonly selectionBackground: string
	readonly black: string
	readonly red: string
	readonly green: string
	readonly yellow: string
	readonly blue: string
	readonly magenta: string
	readonly cyan: string
	readonly white: string
	readonly brightBlack: string
	readonly brightRed: string
	readonly brightGreen: string
	readonly brightYellow: string
	readonly brightBlue: string
	readonly brightMagenta: string
	readonly brightCyan: string
	readonly brightWhite: string
}

/** Background, foreground, cursor, selection, then the sixteen colours in their order. */
function theme(...colours: readonly string[]): TerminalTheme {
	const at = (index: number) => colours[index] ?? '#888888'
	return {
		background: at(0),
		foreground: at(1),
		cursor: at(2),
		cursorAccent: at(0),
		selectionBackground: at(3),
		black: at(4),
		red: at(5),
		green: at(6),
		yellow: at(7),
		blue: at(8),
		magenta: at(9),
		cyan: at(10),
		white: at(11),
		brightBlack: at(12),
		brightRed: at(13),
		brightGreen: at(14),
		brightYellow: at(15),
		brightBlue: at(16),
		brightMagenta: at(17),
		brightCyan: at(18),
		brightWhite: at(19),
	}
}

const THEMES: Readonly<Record<Exclude<TerminalThemeId, 'match'>, TerminalTheme>> = {
	gatehouse: theme(
		...['#0b0e0d', '#dfe6e3', '#3ecfa9', '#24463c'],
		...['#1b2220', '#f2777a', '#58c78e', '#e2b55a', '#6aa9f7', '#c39af0', '#45c9c4', '#c6d0cc'],
		...['#7c8984', '#ff9a9c', '#7fe0ad', '#f5d083', '#93c3ff', '#d9baff', '#74e0dc', '#f4f8f6'],
	),
	daylight: theme(
		...['#ffffff', '#1b2522', '#0a7560', '#cfe8df'],
		...['#1b2522', '#b3261e', '#0a7040', '#835500', '#1f56b8', '#7d36a8', '#0b6b78', '#5c6863'],
		...['#6a7671', '#c93a31', '#12804c', '#8f6200', '#2f68d0', '#9148bd', '#117c8a', '#37433f'],
	),
	nocturne: theme(
		...['#12131c', '#d6d9ea', '#9fb0ff', '#2c3154'],
		...['#1f2233', '#f38ba0', '#9bd48f', '#e8c47e', '#8aa6ff', '#c9a1f5', '#7fd3e0', '#c2c7dc'],
		...['#7b81a0', '#ffabbb', '#b8e8ad', '#f6da9f', '#abc0ff', '#dec1ff', '#a5e6f0', '#f0f2fb'],
	),
	ember: theme(
		...['#1a1512', '#ecdfd0', '#f0a35c', '#46342a'],
		...['#2a221d', '#ef7a66', '#b5bd68', '#eab054', '#86a9b8', '#cf94a8', '#8fbfa0', '#d4c6b4'],
		...['#93826f', '#ff9c8a', '#cfd788', '#fbca7b', '#a8c8d6', '#e6b2c4', '#aed8bd', '#fbf1e4'],
	),
	fjord: theme(
		...['#252c38', '#dde4ee', '#8fc4d9', '#41506a'],
		...['#343e4f', '#e38a92', '#a6c793', '#ecd093', '#8cb0dc', '#c4a0ca', '#8fc7cf', '#cbd4e1'],
		...['#8c99ae', '#f0a7ae', '#bddcac', '#f7e0b0', '#abc8ec', '#d8bbdd', '#aedde3', '#f3f6fa'],
	),
	paper: theme(
		...['#fbf6e9', '#3b3a32', '#a3521f', '#e8dcbd'],
		...['#3b3a32', '#a92f2a', '#4d6b15', '#82590b', '#205f94', '#8a3577', '#1d6f68', '#6b6757'],
		...['#777263', '#bf4038', '#587a1b', '#8f6411', '#2a70ad', '#9c4489', '#237d75', '#4d4b40'],
	),
	contrast: theme(
		...['#000000', '#ffffff', '#ffff00', '#004f9e'],
		...['#000000', '#ff6e67', '#5ffa68', '#fffc67', '#7aa8ff', '#ff8cff', '#60fdff', '#ffffff'],
		...['#a8a8a8', '#ff928c', '#8cff93', '#ffff99', '#a5c5ff', '#ffb3ff', '#99feff', '#ffffff'],
	),
}

export function terminalTheme(id: TerminalThemeId, page: 'light' | 'dark'): TerminalTheme {
	if (id === 'match') return THEMES[page === 'light' ? 'daylight' : 'gatehouse']
	return THEMES[id]
}
