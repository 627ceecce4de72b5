/** The user's side of the echo, open and flood benches: `@sallyport/client` and `ssh`, in turns, from one process. */
import { spawn } from 'node:child_process'
import type { NodeConnection, SallyClient } from '@sallyport/client'
import type { NodeId } from '@sallyport/protocol'
import { openProfile } from '../../packages/cli/src/profile/profile.ts'
import { type ClientTask, type Rounds, readTask, type SshTarget } from './task.ts'

const SIZE = { cols: 80, rows: 24 }
/** A program that answers each key, as an editor does; the tty itself echoes nothing. */
const ECHO = "stty raw -echo; printf 'RE''ADY'; exec cat\n"
const FLOOD = "stty -echo; printf 'RE''ADY'; exec yes 'the quick brown fox jumps over the lazy dog'\n"

/** A terminal, whichever way it is reached. */
interface Terminal {
	write(bytes: Uint8Array): void
	onOutput(handler: (bytes: Uint8Array) => void): void
	close(): void
}

async function openOurs(connection: NodeConnection): Promise<Terminal> {
	const session = await connection.openTerminal(SIZE)
	return {
		write: (bytes) => void session.write(bytes),
		onOutput: (handler) =>
			session.onOutput((bytes, done) => {
				handler(bytes)
				done()
			}),
		close: () => {
			void connection.endTerminal(session.terminalId).catch(() => undefined)
		},
	}
}

function openDirect(ssh: SshTarget): Terminal {
	const [command = '', ...args] = ssh.command
	const child = spawn(command, [...args.slice(0, -1), '-tt', args.at(-1) ?? ''], { stdio: ['pipe', 'pipe', 'inherit'] })
	return {
		write: (bytes) => void child.stdin.write(bytes),
		// Replaces the one before: a round's handler left in place would go on typing in the next.
		onOutput: (handler) => void child.stdout.removeAllListeners('data').on('data', handler),
		close: () => void child.kill(),
	}
}

function waitFor(terminal: Terminal, text: string): Promise<void> {
	let seen = ''
	return new Promise((resolve) =>
		terminal.onOutput((bytes) => {
			seen = (seen + Buffer.from(bytes).toString('latin1')).slice(-4096)
			if (seen.includes(text)) resolve()
		}),
	)
}

/** Types one key after the other, each as soon as the one before is back. */
function typeKeys(terminal: Terminal, keys: number): Promise<number[]> {
	const times: number[] = []
	const key = Uint8Array.of(97)
	return new Promise((resolve) => {
		let sentMs = performance.now()
		terminal.onOutput(() => {
			times.push(performance.now() - sentMs)
			if (times.length === keys) return resolve(times)
			// A turn later: typing isn't part of handling output.
			setImmediate(() => {
				sentMs = performance.now()
				terminal.write(key)
			})
		})
		terminal.write(key)
	})
}

async function echoing(terminal: Terminal): Promise<Terminal> {
	const ready = waitFor(terminal, 'READY')
	terminal.write(Buffer.from(ECHO))
	await ready
	return terminal
}

async function echo(client: SallyClient, task: Extract<ClientTask, { kind: 'echo' | 'flood' }>): Promise<Rounds> {
	const connection = await client.connect(await nodeOf(client, task.node))
	const ours = await echoing(await openOurs(connection))
	const direct = await echoing(openDirect(task.ssh))
	const flood = task.kind === 'flood' ? await flooding(connection) : undefined
	const rounds = { ours: [] as number[][], direct: [] as number[][] }
	// The first round warms up.
	for (let round = 0; round <= task.rounds; round++) {
		const timed = await typeKeys(ours, task.keys)
		const timedDirect = task.kind === 'flood' ? [0] : await typeKeys(direct, task.keys)
		if (round === 0) continue
		rounds.ours.push(timed)
		rounds.direct.push(timedDirect)
	}
	if (flood !== undefined) process.stderr.write(`flood: ${flood.rate().toFixed(0)} MB/s\n`)
	flood?.terminal.close()
	ours.close()
	direct.close()
	return rounds
}

/** Another terminal of the same link that prints without end, and whose output is taken at once. */
async function flooding(connection: NodeConnection): Promise<{ readonly terminal: Terminal; rate(): number }> {
	const terminal = await openOurs(connection)
	const ready = waitFor(terminal, 'READY')
	terminal.write(Buffer.from(FLOOD))
	await ready
	const startedMs = performance.now()
	let received = 0
	terminal.onOutput((bytes) => {
		received += bytes.length
	})
	return { terminal, rate: () => received / 1000 / (performance.now() - startedMs) }
}

/** From nothing to the first byte of the shell's prompt, and before it to an open terminal; a new link each time. */
async function open(client: SallyClient, task: Extract<ClientTask, { kind: 'open' }>): Promise<Rounds> {
	const nodeId = await nodeOf(client, task.node)
	const rounds = { ours: [] as number[][], direct: [] as number[][], opened: [] as number[] }
	for (let round = 0; round <= task.rounds; round++) {
		const startedMs = performance.now()
		const connection = await client.connect(nodeId)
		const ours = await openOurs(connection)
		const openedMs = performance.now() - startedMs
		await firstOutput(ours)
		const oursMs = performance.now() - startedMs
		ours.close()
		connection.link.close('closed_by_client')
		await connection.link.ended
		const startedDirectMs = performance.now()
		const direct = openDirect(task.ssh)
		await firstOutput(direct)
		const directMs = performance.now() - startedDirectMs
		direct.close()
		if (round === 0) continue
		rounds.opened.push(openedMs)
		rounds.ours.push([oursMs])
		rounds.direct.push([directMs])
	}
	return rounds
}

function firstOutput(terminal: Terminal): Promise<void> {
	return new Promise((resolve) => terminal.onOutput(() => resolve()))
}

async function nodeOf(client: SallyClient, name: string): Promise<NodeId> {
	const { nodes } = await client.api.nodes()
	const node = nodes.find((candidate) => candidate.name === name)
	if (node === undefined) throw new Error(`there is no machine ${name}`)
	return node.id
}

const task = await readTask<ClientTask>()
const client = await (await openProfile('default', process.env)).openClient()
const rounds = task.kind === 'open' ? await open(client, task) : await echo(client, task)
client.close()
await new Promise<void>((resolve) => process.stdout.write(`${JSON.stringify(rounds)}\n`, () => resolve()))
process.exit(0)
