import { describe, expect, it } from 'vitest'
import { createStored } from '../lib/stored.ts'
import { createSettings, DEFAULT_SETTINGS, parseSettings, resolveTheme } from './settings.ts'

function memoryStorage(initial: Record<string, string> = {}) {
	const data = new Map(Object.entries(initial))
	return { getItem: (key: string) => data.get(key) ?? null, setItem: (key: string, value: string) => void data.set(key, value) }
}

describe('parseSettings', () => {
	it.each([null, 5, 'x', [], { theme: 'neon', fontSize: 'big', terminalTheme: 'none', clipboardNodes: 'all' }])(
		'falls back to defaults for %j',
		(value) => {
			expect(parseSettings(value)).toEqual(DEFAULT_SETTINGS)
		},
	)

	it('keeps font sizes within what can be read', () => {
		expect([
			parseSettings({ fontSize: 900 }).fontSize,
			parseSettings({ fontSize: -1 }).fontSize,
			parseSettings({ fontSize: Number.NaN }).fontSize,
		]).toEqual([28, 9, 14])
	})
})

describe('settings', () => {
	it('survive a reload', () => {
		const storage = memoryStorage()
		createSettings(createStored(storage, 'k', parseSettings)).update({ theme: 'dark', fontSize: 18 })
		expect(createSettings(createStored(storage, 'k', parseSettings)).store.getState()).toMatchObject({
			theme: 'dark',
			fontSize: 18,
		})
	})

	it('start from defaults when what was stored is damaged', () => {
		expect(createSettings(createStored(memoryStorage({ k: '{oops' }), 'k', parseSettings)).store.getState()).toEqual(
			DEFAULT_SETTINGS,
		)
	})

	it('work for the page’s life when storage is barred', () => {
		const barred = {
			getItem: () => {
				throw new Error('barred')
			},
			setItem: () => {
				throw new Error('barred')
			},
		}
		const settings = createSettings(createStored(barred, 'k', parseSettings))
		settings.changeFontSize(2)
		expect(settings.store.getState().fontSize).toBe(16)
		settings.changeFontSize(0)
		expect(settings.store.getState().fontSize).toBe(14)
	})
})

it('follows the system unless told otherwise', () => {
	expect([resolveTheme('system', true), resolveTheme('system', false), resolveTheme('light', true)]).toEqual([
		'dark',
		'light',
		'light',
	])
})
