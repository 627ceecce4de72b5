import { describe, expect, it } from 'vitest'
import { checkErrorCodes, compareCodes, tableBelow } from './error-codes.mjs'

const PAGE =
	'# Codes\n\n## First\n\n| code | what |\n| --- | --- |\n| `a` | One. |\n| `b` | Two. |\n\n## Second\n\n| code |\n| --- |\n| `c` |\n'

describe('tableBelow', () => {
	it('reads the rows of one section alone', () => {
		expect(tableBelow(PAGE, 'First')).toEqual([
			['a', 'One.'],
			['b', 'Two.'],
		])
		expect(tableBelow(PAGE, 'Second')).toEqual([['c']])
	})

	it('finds nothing below a heading that is not there', () => {
		expect(tableBelow(PAGE, 'Third')).toEqual([])
	})
})

describe('compareCodes', () => {
	it('tells a code that is not documented', () => {
		expect(compareCodes(['a'], ['a', 'b'], 'X')).toEqual(['X: b is missing in docs/errors.md'])
	})

	it('tells a documented code that no longer exists', () => {
		expect(compareCodes(['a', 'b'], ['a'], 'X')).toEqual(['X: b is no code any more'])
	})

	it('tells a code that is documented twice', () => {
		expect(compareCodes(['a', 'a'], ['a'], 'X')).toEqual(['X: a stands there twice'])
	})
})

describe('checkErrorCodes', () => {
	it('reads every list of this checkout', async () => {
		expect((await checkErrorCodes()).count).toBeGreaterThan(50)
	})
})
