import { describe, expect, it } from 'vitest'
import type { KeyLike } from './keys.ts'
import { terminalCommand } from './keys.ts'

function key(code: string, held: string, name: string = code.replace('Key', '').toLowerCase()): KeyLike {
	return {
		code,
		key: name,
		ctrlKey: held.includes('C'),
		metaKey: held.includes('M'),
		shiftKey: held.includes('S'),
		altKey: held.includes('A'),
	}
}

describe('terminalCommand', () => {
	it.each([
		['KeyC', 'CS', 'copy'],
		['KeyV', 'CS', 'paste'],
		['KeyF', 'CS', 'search'],
		['KeyE', 'CS', 'duplicate'],
		['ArrowRight', 'CS', 'next'],
		['ArrowUp', 'CS', 'leave'],
	])('%s with %s is %s', (code, held, command) => expect(terminalCommand(key(code, held), false)).toBe(command))

	it.each(['KeyC', 'KeyV', 'KeyF', 'KeyE', 'KeyD', 'KeyZ'])('leaves Ctrl and %s to the shell', (code) => {
		expect(terminalCommand(key(code, 'C'), false)).toBeUndefined()
	})

	it('takes Cmd on a Mac, and leaves Ctrl to the shell there', () => {
		expect([
			terminalCommand(key('KeyC', 'M'), true),
			terminalCommand(key('KeyV', 'M'), true),
			terminalCommand(key('KeyC', 'CS'), true),
		]).toEqual(['copy', 'paste', undefined])
	})

	it('knows the zoom keys of any layout', () => {
		expect([
			terminalCommand(key('Equal', 'CS', '+'), false),
			terminalCommand(key('Equal', 'C', '='), false),
			terminalCommand(key('Minus', 'C', '-'), false),
			terminalCommand(key('Digit0', 'C', '0'), false),
		]).toEqual(['larger', 'larger', 'smaller', 'normal'])
	})

	it('leaves Alt combinations to the shell', () => {
		expect(terminalCommand(key('KeyC', 'CSA'), false)).toBeUndefined()
	})
})
