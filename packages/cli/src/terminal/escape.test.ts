import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EscapeFilter, type EscapeInput } from './escape.ts'

const type = (chunks: readonly string[]): readonly string[] => {
	const filter = new EscapeFilter()
	return merged(chunks.flatMap((chunk) => filter.push(Buffer.from(chunk, 'latin1'))))
}

describe('the escape', () => {
	it.each([
		['at the very start', '~.', ['<leave>']],
		['after a line end', 'ls\r~.', ['ls\r', '<leave>']],
		['not in the middle of a line', 'cd ~.\r', ['cd ~.\r']],
		['twice sends one tilde', '~~.\r', ['~.\r']],
		['with another key sends both', '~x', ['~x']],
		['for help', '\r~?ls', ['\r', '<help>', 'ls']],
		['after help the line starts anew', '~?~.', ['<help>', '<leave>']],
	])('%s', (_name, typed, expected) => {
		expect(type([typed])).toEqual(expected)
		expect(type([...typed])).toEqual(expected)
	})

	it('holds a tilde back until the next key', () => {
		expect(type(['~'])).toEqual([])
	})

	it('loses and invents nothing, however keys arrive', () => {
		const keys = fc.array(fc.string({ unit: fc.constantFrom('a', '\r', '\n', ' ') }))
		fc.assert(
			fc.property(keys, (chunks) => {
				expect(type(chunks).join('')).toBe(chunks.join(''))
			}),
		)
	})
})

function merged(inputs: readonly EscapeInput[]): readonly string[] {
	const out: string[] = []
	let isOpen = false
	for (const input of inputs) {
		const text = input.kind === 'data' ? Buffer.from(input.bytes).toString('latin1') : `<${input.kind}>`
		if (input.kind === 'data' && isOpen) out.push(`${out.pop()}${text}`)
		else out.push(text)
		isOpen = input.kind === 'data'
	}
	return out
}
