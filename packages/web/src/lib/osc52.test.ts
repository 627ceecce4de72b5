import { expect, it } from 'vitest'
import { parseOsc52 } from './osc52.ts'

it('reads a write wish as text', () => {
	expect(parseOsc52('c;aMOpbGxv')).toEqual({ kind: 'write', text: 'héllo' })
	expect(parseOsc52(';aGk=')).toEqual({ kind: 'write', text: 'hi' })
})

it('tells a read wish apart, so that it can be denied', () => {
	expect(parseOsc52('c;?')).toEqual({ kind: 'read' })
})

it.each(['', 'c', 'zz;aGk=', 'c;not base64!', 'c;/w==', `c;${'A'.repeat(1_500_000)}`])('refuses %.20s', (payload) => {
	expect(parseOsc52(payload)).toEqual({ kind: 'invalid' })
})
