import { testSeed } from '@sallyport/testkit'
import { describe, expect, it } from 'vitest'
import { corpusOf, FuzzFailure, fuzzTarget } from './fuzz.ts'
import { TARGETS } from './targets.ts'

/** For each target; `npm run fuzz` sets more. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 1_000)

describe('what strangers write', () => {
	it.each(Object.entries(TARGETS))(
		'%s: never throws, stalls or echoes control characters, on its corpus and on changes of it',
		(name, target) => {
			expect(corpusOf(name).length).toBeGreaterThan(0)
			fuzzTarget(name, target, { runs: RUNS, seed: testSeed() })
		},
		10 * 60_000,
	)
})

describe('the fuzzer itself', () => {
	it.each([
		['throws', () => JSON.parse('{')],
		['explains itself at length', () => ({ ok: false, error: { detail: 'x'.repeat(5_000) } })],
		['echoes an escape', () => ({ ok: false, problems: ['\u001b[2J'] })],
		[
			'changes its input',
			(bytes: Uint8Array) => {
				bytes.fill(1)
			},
		],
	])('finds a parser that %s', (_name, target) => {
		expect(() => fuzzTarget('token', target, { runs: 1, seed: 1 })).toThrow(FuzzFailure)
	})
})
