import { testSeed } from '@sallyport/testkit'
import { expect, it } from 'vitest'
import { useScope } from '../harness/index.ts'
import { runKillRounds } from './kill.ts'

const scope = useScope()

it('kill -9 of relay, agent and client in turn leaves no state broken, and the others say so and recover', async () => {
	const seed = testSeed()
	const counts = await runKillRounds(scope, { rounds: 9, seed }).catch((cause: unknown) => {
		throw new Error(`failed with SEED=${seed}: ${String(cause)}`, { cause })
	})
	expect(counts).toEqual({ relay: 3, agent: 3, client: 3 })
})
