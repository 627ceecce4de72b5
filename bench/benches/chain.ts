import { join } from 'node:path'
import { type Child, startChild } from '../../test/e2e/harness/child.ts'
import type { Scope } from '../../test/e2e/harness/scope.ts'
import { type Row, spreadOf, spreadRows } from '../lib/figures.ts'
import type { World } from '../lib/world.ts'
import type { Size } from '../main.ts'
import { proxyOption, transferRates } from './bulk.ts'
import { echo } from './client.ts'

const PROGRAM = join(import.meta.dirname, 'parts/chain.js')

/** What three Node processes with ws and AES-GCM can do on this machine with nothing of ours on them. */
export async function chain(scope: Scope, world: World, size: Size): Promise<readonly Row[]> {
	const start = (args: readonly string[]): Child =>
		startChild(scope, process.execPath, [PROGRAM, ...args], { name: `chain ${args[0]}` })
	const relay = start(['relay'])
	const port = (await relay.waitForOutput(/port (\d+)/))[1] ?? ''
	const tcp = start(['node', port, String(world.sshd.port)])
	await tcp.waitForOutput(/ready/)
	const rates = await transferRates(world, proxyOption(`${process.execPath} ${PROGRAM} proxy ${port}`), size)
	await tcp.stop()
	await relay.stop()

	const second = start(['relay'])
	const secondPort = (await second.waitForOutput(/port (\d+)/))[1] ?? ''
	const pty = start(['node', secondPort, 'pty'])
	await pty.waitForOutput(/ready/)
	const typing = start(['echo', secondPort, String(size.rounds), String(size.keys)])
	await typing.exited
	const rounds: number[][] = JSON.parse(typing.stdout())
	await pty.stop()
	await second.stop()
	const direct = await echo(scope, world, { ...size, rounds: 1 })
	const yardstick = { p50: direct[0]?.yardstick ?? Number.NaN, p99: direct[1]?.yardstick ?? Number.NaN }
	return [
		{ what: 'bare chain: the same by ssh', unit: 'MB/s', ours: rates.ours, yardstick: rates.direct },
		...spreadRows('bare chain: keystroke echo', spreadOf(rounds), yardstick),
	]
}
