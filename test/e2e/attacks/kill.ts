/** kill -9 of relay, agent or client at moments that a seed chooses, and what must hold after each. */
import { existsSync } from 'node:fs'
import type { NodeConnection, SallyClient, TerminalSession } from '@sallyport/client'
import { createSeededRandom } from '@sallyport/testkit'
import { expect } from 'vitest'
import { createHome, type Home, type Scope, sally, startSally, waitFor, within } from '../harness/index.ts'
import { type Processes, startProcesses } from './processes.ts'
import { ACCOUNT } from './stand.ts'

/** Kills come faster than people open links. */
const LIMITS_OFF = { NEW_LINKS_PER_MINUTE: '100000', HELLOS_PER_MINUTE: '100000' }

type Victim = 'relay' | 'agent' | 'client'

export interface KillOptions {
	readonly rounds: number
	readonly seed: number
}

/** Runs rounds on one world: what a round leaves behind is what the next one starts from. */
export async function runKillRounds(scope: Scope, options: KillOptions): Promise<Record<Victim, number>> {
	const random = createSeededRandom(options.seed)
	const world = await startProcesses(scope, LIMITS_OFF)
	const client = await world.client('steady')
	const laptop = await signIn(world, scope)
	const counts = { relay: 0, agent: 0, client: 0 }
	for (let round = 0; round < options.rounds; round++) {
		const victim = (['relay', 'agent', 'client'] as const)[round % 3] ?? 'relay'
		counts[victim]++
		await runRound({ world, client, victim, delayMs: random.int(0, 60), round, scope, laptop })
	}
	return counts
}

interface Round {
	readonly world: Processes
	readonly client: SallyClient
	readonly victim: Victim
	readonly delayMs: number
	readonly round: number
	readonly scope: Scope
	readonly laptop: Home
}

async function runRound({ world, client, laptop, victim, delayMs, round, scope }: Round): Promise<void> {
	const connection = await connectAgain(client, world)
	const terminal = await connection.openTerminal({ cols: 80, rows: 24 }, { name: `round ${round}` })
	const output = read(terminal)
	terminal.write(Buffer.from(`echo mark-$((${round}+1000))\r`))
	await waitFor('the shell', () => output().includes(`mark-${round + 1000}`))
	await busy(connection, delayMs)
	if (victim === 'client') {
		await killClient(world, laptop, scope, delayMs)
	} else {
		const child = world[victim]
		child.kill('SIGKILL')
		await child.exited
		const end = await within(`the link to end after the ${victim} was killed`, connection.link.ended, 75_000)
		expect(end.message).toMatch(/^\S.{8,}/)
		if (victim === 'relay') await world.startRelay()
		else await world.startAgent()
		await world.untilConnected()
	}
	const again = await connectAgain(client, world)
	expect(again.session.session_id).toBe(connection.session.session_id)
	if (victim === 'agent') {
		// Terminals live as long as the agent: a clear end, and a new one opens.
		await expect(again.attachTerminal(terminal.terminalId, { cols: 80, rows: 24 })).rejects.toMatchObject({ name: 'ClientError' })
	} else {
		const attached = await again.attachTerminal(terminal.terminalId, { cols: 80, rows: 24 })
		const seen = read(attached)
		await waitFor('the last screen', () => seen().includes(`mark-${round + 1000}`))
		attached.write(Buffer.from(`echo still-$((${round}+2000))\r`))
		await waitFor('the same shell', () => seen().includes(`still-${round + 2000}`))
		await again.endTerminal(terminal.terminalId)
	}
	expect(world.relayLogs() + world.agentLogs()).not.toMatch(/set aside|corrupt/)
}

/** Sockets, disk and database in use at the moment of the kill. */
async function busy(connection: NodeConnection, delayMs: number): Promise<void> {
	const stream = await connection.openExec(['cat', '/dev/zero'])
	stream.setHandlers({ onData: (bytes) => stream.consume(bytes.length) })
	await new Promise((resolve) => setTimeout(resolve, delayMs))
	stream.reset('cancelled')
}

/** The command-line client, signed in and paired once; it dies while a program of its runs on the machine. */
async function killClient(world: Processes, laptop: Home, scope: Scope, delayMs: number): Promise<void> {
	const dying = startSally(scope, laptop, ['exec', '--no-share', 'box', '--', 'sh', '-c', 'echo pid-$$; exec sleep 600'])
	const pid = Number((await dying.waitForOutput(/pid-(\d+)/))[1])
	await new Promise((resolve) => setTimeout(resolve, delayMs))
	dying.kill('SIGKILL')
	await dying.exited
	await waitFor('the machine to end what it ran', () => !existsSync(`/proc/${pid}`))
	await waitFor('the machine to drop its link', async () => (await world.control.ask({ op: 'status' })).links.length <= 1)
}

async function signIn(world: Processes, scope: Scope): Promise<Home> {
	const laptop = createHome(scope, 'laptop')
	const login = await sally(scope, laptop, ['login', world.origin, '--email', ACCOUNT.email, '--password-stdin'], {
		input: ACCOUNT.password,
	})
	expect(login).toMatchObject({ status: 0 })
	const invite = (await world.control.ask({ op: 'invite' })).text
	expect(await sally(scope, laptop, ['pair', '--invite', '--yes'], { input: invite })).toMatchObject({ status: 0 })
	return laptop
}

async function connectAgain(client: SallyClient, world: Processes): Promise<NodeConnection> {
	return waitFor('a link', () => client.connect(world.nodeId), 40_000)
}

function read(terminal: TerminalSession): () => string {
	let text = ''
	terminal.onOutput((bytes, done) => {
		text += Buffer.from(bytes).toString('latin1')
		done()
	})
	return () => text
}
