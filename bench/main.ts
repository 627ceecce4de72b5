/** Runs the benches that were asked for, each over the same relay, agent and sshd, and prints one table. */

import type { Scope } from '../test/e2e/harness/scope.ts'
import { bulk } from './benches/bulk.ts'
import { chain } from './benches/chain.ts'
import { echo, flood, open } from './benches/client.ts'
import { memory } from './benches/memory.ts'
import { page } from './benches/page.ts'
import { formatRows, type Row } from './lib/figures.ts'
import { machineFacts } from './lib/machine.ts'
import { openScope } from './lib/scope.ts'
import { openWorld, type World } from './lib/world.ts'

export interface Size {
	readonly rounds: number
	readonly keys: number
	readonly bulkBytes: number
	readonly nodes: number
}

type Bench = (scope: Scope, world: World, size: Size) => Promise<readonly Row[]>

const FULL: Size = { rounds: 5, keys: 2000, bulkBytes: 1024 ** 3, nodes: 2000 }
const QUICK: Size = { rounds: 3, keys: 300, bulkBytes: 256 * 1024 ** 2, nodes: 400 }
const BENCHES: Readonly<Record<string, Bench>> = { echo, page, bulk, chain, open, flood, memory }

const flags = new Set(process.argv.slice(2).filter((word) => word.startsWith('--')))
const names = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const unknown = [
	...names.filter((name) => !Object.hasOwn(BENCHES, name)),
	...[...flags].filter((flag) => !['--json', '--quick', '--logs'].includes(flag)),
]
if (unknown.length > 0) {
	console.error(`there is no ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}, --json, --quick and --logs`)
	process.exit(2)
}
const facts = machineFacts()
const scope = openScope()
const rows: Row[] = []
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void scope.close().then(() => process.exit(130)))
try {
	const world = await openWorld(scope)
	for (const [name, bench] of Object.entries(BENCHES)) {
		if (names.length > 0 && !names.includes(name)) continue
		const startedMs = performance.now()
		rows.push(...(await bench(scope, world, flags.has('--quick') ? QUICK : FULL)))
		if (process.stderr.isTTY) console.error(`${name}: ${((performance.now() - startedMs) / 1000).toFixed(0)} s`)
	}
} finally {
	if (flags.has('--logs')) console.error(scope.logs())
	await scope.close()
}
if (flags.has('--json')) console.log(JSON.stringify({ facts, rows }, undefined, '\t'))
else console.log(`${facts.join('\n')}\n\n${formatRows(rows)}`)
process.exit(0)
