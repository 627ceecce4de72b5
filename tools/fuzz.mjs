/**
 * `npm run fuzz [-- RUNS [TARGET]]`: each target over its corpus and RUNS changes of it (200,000 unless told otherwise).
 * A failure names the seed and the input; put the input into `fuzz/corpus/TARGET/` with the cure.
 */
import { runNode } from './lib/run.mjs'

const [runs = '200000', target] = process.argv.slice(2)
const only = target === undefined ? [] : ['-t', target]
const { status } = await runNode('node_modules/vitest/vitest.mjs', ['run', '--project', 'unit', 'fuzz/fuzz.test.ts', ...only], {
	env: { FUZZ_RUNS: runs },
})
process.exitCode = status ?? 1
