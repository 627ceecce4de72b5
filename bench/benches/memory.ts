import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Scope } from '../../test/e2e/harness/scope.ts'
import type { Row } from '../lib/figures.ts'
import { startPart, type World } from '../lib/world.ts'
import type { Size } from '../main.ts'

/** After a full collection V8 gives pages back in the background. */
const SETTLE_MS = 3_000

/**
 * What one more idle node costs the relay: resident memory after `nodes` more, each enrolled and proven. A first tenth is
 * connected before the count begins, so that what is loaded once isn't counted.
 */
export async function memory(scope: Scope, world: World, { nodes }: Size): Promise<readonly Row[]> {
	const token = await world.token(['nodes:enrol'])
	const first = nodes / 10
	const stops = [first, first + nodes]
	const part = startPart(scope, 'light-nodes', { origin: world.origin, token, stops }, world.home.env)
	const residents: number[] = []
	for (const stop of stops) {
		await part.waitForOutput(new RegExp(`connected ${stop}\\n`), 300_000)
		for (let collection = 0; collection < 2; collection++) {
			world.relay.kill('SIGUSR2')
			await delay(SETTLE_MS)
		}
		residents.push(residentKib(world.relay.pid))
		part.write('\n')
	}
	await part.exited
	const [before = 0, after = 0] = residents
	return [{ what: `relay memory for each of ${nodes} idle nodes`, unit: 'KiB', ours: (after - before) / nodes, reach: 20 }]
}

function residentKib(pid: number): number {
	const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
	if (match === null) throw new Error('resident memory can only be read on Linux')
	return Number(match[1])
}
