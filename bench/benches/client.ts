import type { Scope } from '../../test/e2e/harness/scope.ts'
import { median, type Row, spreadOf, spreadRows } from '../lib/figures.ts'
import { NODE_NAME, runPart, type World } from '../lib/world.ts'
import type { Size } from '../main.ts'
import type { ClientTask, Rounds } from '../parts/task.ts'

/** A key typed into a program that answers each, and its answer: through relay and link, and by ssh. */
export async function echo(scope: Scope, world: World, { rounds, keys }: Size): Promise<readonly Row[]> {
	const times = await ask(scope, world, { kind: 'echo', rounds, keys })
	return spreadRows('keystroke echo, Node client', spreadOf(times.ours), spreadOf(times.direct), { p50: 0.6, p99: 3 })
}

/** The same while another terminal of the link prints without end. */
export async function flood(scope: Scope, world: World, { rounds, keys }: Size): Promise<readonly Row[]> {
	const times = await ask(scope, world, { kind: 'flood', rounds, keys: Math.ceil(keys / 2) })
	const { p50, p99 } = spreadOf(times.ours)
	return [
		{ what: 'echo beside a flooding terminal, p50', unit: 'ms', ours: p50 },
		{ what: 'echo beside a flooding terminal, p99', unit: 'ms', ours: p99, reach: 20 },
	]
}

/** From nothing to the prompt's first byte. */
export async function open(scope: Scope, world: World, { rounds }: Size): Promise<readonly Row[]> {
	const times = await ask(scope, world, { kind: 'open', rounds: rounds * 3 })
	const row = { what: 'link open to first prompt', unit: 'ms', reach: 150 } as const
	return [
		{ ...row, ours: median(times.ours.flat()), yardstick: median(times.direct.flat()) },
		{ what: "of it without the shell's own start", unit: 'ms', ours: median(times.opened ?? []) },
	]
}

type Asked = ClientTask extends infer T ? (T extends ClientTask ? Omit<T, 'node' | 'ssh'> : never) : never

function ask(scope: Scope, world: World, asked: Asked): Promise<Rounds> {
	const { sshd } = world
	const ssh = { command: ['ssh', ...sshd.clientOptions(), '-p', String(sshd.port), `${sshd.user}@${sshd.host}`] }
	return runPart<Rounds>(scope, 'client', { ...asked, node: NODE_NAME, ssh }, world.home.env)
}
