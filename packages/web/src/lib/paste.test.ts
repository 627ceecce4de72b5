import { describe, expect, it } from 'vitest'
import { countLines, needsPasteWarning, pastePreview, textToKeys } from './paste.ts'

describe('textToKeys', () => {
	it('turns every line end into Enter', () => {
		expect(textToKeys('a\nb\r\nc\rd', false)).toBe('a\rb\rc\rd')
	})

	it('brackets and takes escapes out, so that nothing inside can end the bracket', () => {
		expect(textToKeys('x\x1b[201~rm -rf\n', true)).toBe('\x1b[200~x[201~rm -rf\r\x1b[201~')
	})
})

describe('needsPasteWarning', () => {
	it.each([
		['one line', false, false],
		['one line and its end\n', false, false],
		['two\nlines', false, true],
		['two\rlines', false, true],
		['two\nlines', true, false],
	])('%j with brackets %s: %s', (text, bracketed, warns) => expect(needsPasteWarning(text, bracketed)).toBe(warns))
})

it('counts lines as an editor does', () => {
	expect([countLines('a'), countLines('a\n'), countLines('a\nb\r\nc')]).toEqual([1, 1, 3])
})

it('shows the first lines and that there are more', () => {
	expect(pastePreview('1\n2\n3', 2)).toBe('1\n2\n…')
	expect(pastePreview('x'.repeat(200))).toHaveLength(120)
})
