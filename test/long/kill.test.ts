import { testSeed } from '@sallyport/testkit'
import { expect, it } from 'vitest'
import { runKillRounds } from '../e2e/attacks/kill.ts'
import { useScope } from '../e2e/harness/index.ts'

const scope = useScope()

it(
	'a thousand kills of relay, agent and client leave no state broken',
	async () => {
		const seed = testSeed()
		const counts = await runKillRounds(scope, { rounds: 1_000, seed }).catch((cause: unknown) => {
			throw new Error(`failed with SEED=${seed}: ${String(cause)}`, { cause })
		})
		expect(counts.relay + counts.agent + counts.client).toBe(1_000)
	},
	4 * 3_600_000,
)
