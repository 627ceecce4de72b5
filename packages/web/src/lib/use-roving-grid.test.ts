import { expect, it } from 'vitest'
import { nextCell } from './use-roving-grid.ts'

it.each([
	['ArrowRight', 0, 1],
	['ArrowRight', 6, undefined],
	['ArrowLeft', 0, undefined],
	['ArrowDown', 1, 4],
	['ArrowDown', 5, undefined],
	['ArrowUp', 4, 1],
	['ArrowUp', 2, undefined],
	['Home', 5, 0],
	['End', 0, 6],
	['a', 0, undefined],
] as const)('%s from %d in seven cells of three columns leads to %s', (key, index, next) => {
	expect(nextCell(key, index, 3, 7)).toBe(next)
})
