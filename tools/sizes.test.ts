import { describe, expect, it } from 'vitest'
import { longFunctions, MAX_LINES, MAX_OWN_LINES } from './sizes.mjs'

/** A function of that many lines. */
const functionOf = (lines: number, name = 'f') => `function ${name}() {\n${'\twork()\n'.repeat(lines - 2)}}\n`

describe('longFunctions', () => {
	it('takes the longest function allowed and tells of one line more', () => {
		expect(longFunctions('a.ts', functionOf(MAX_OWN_LINES)).problems).toEqual([])
		expect(longFunctions('a.ts', `\n${functionOf(MAX_OWN_LINES + 1, 'tooLong')}`).problems).toEqual([
			`a.ts:2: tooLong has 61 lines of its own (at most 60), 61 in all (at most ${MAX_LINES})`,
		])
	})

	it('counts the functions inside by themselves', () => {
		const factory = `function create() {\n${functionOf(50, 'a')}${functionOf(50, 'b')}return { a, b }\n}\n`
		expect(longFunctions('a.ts', factory)).toEqual({ functions: 3, problems: [] })
		expect(longFunctions('a.ts', `function create() {\n${functionOf(61, 'inner')}}\n`).problems[0]).toContain('inner has 61')
	})

	it('bounds a factory as a whole', () => {
		const factory = `const create = () => {\n${functionOf(50).repeat(5)}}\n`
		expect(longFunctions('a.ts', factory).problems[0]).toContain('252 in all')
	})

	it('takes an exception that says why', () => {
		expect(longFunctions('a.ts', `// long-function: one table\n${functionOf(90)}`).problems).toEqual([])
		expect(longFunctions('a.ts', `// long-function:\n${functionOf(90)}`).problems).toHaveLength(1)
	})
})
