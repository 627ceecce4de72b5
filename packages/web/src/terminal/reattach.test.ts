import { expect, it } from 'vitest'
import { reattachDelayMs } from './reattach.ts'

it('tries at once, then ever more slowly up to 15 s', () => {
	expect([1, 2, 3, 20].map((attempt) => reattachDelayMs(attempt, 0.999_999))).toEqual([0, 500, 1000, 15_000])
})

it('never waits less than half of that', () => {
	expect(reattachDelayMs(20, 0)).toBe(7500)
})
