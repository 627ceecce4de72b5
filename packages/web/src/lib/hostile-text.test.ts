import { expect, it } from 'vitest'
import { plainLine, safeLink } from './hostile-text.ts'

it.each([
	['vim \x1b]0;x\x07 notes', 'vim ]0;x notes'],
	['a\nb\tc', 'a b c'],
	['safe\u202Egpj.exe', 'safe gpj.exe'],
	['zero\u200Bwidth', 'zero width'],
	['   ', ''],
])('%j is shown as %j', (text, shown) => expect(plainLine(text)).toBe(shown))

it('cuts what is too long', () => {
	expect(plainLine('x'.repeat(500), 10)).toBe(`${'x'.repeat(9)}…`)
})

it.each(['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'not a link', ' javascript:x'])(
	'does not open %s',
	(link) => {
		expect(safeLink(link)).toBeUndefined()
	},
)

it('opens web addresses', () => {
	expect(safeLink('https://example.com/a?b')).toBe('https://example.com/a?b')
})
