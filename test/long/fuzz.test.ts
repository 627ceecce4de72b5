import { testSeed } from '@sallyport/testkit'
import { expect, it } from 'vitest'
import { corpusOf, fuzzTarget } from '../../fuzz/fuzz.ts'
import { TARGETS } from '../../fuzz/targets.ts'

it.each(Object.entries(TARGETS))('%s stands half a million changes of its corpus', (name, target) => {
	expect(corpusOf(name).length).toBeGreaterThan(0)
	fuzzTarget(name, target, { runs: 500_000, seed: testSeed() })
})
