/** A relay, an agent and a signed-in, paired user, each a process of the built `sally`, and a private sshd. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, runChild, startChild } from '../../test/e2e/harness/child.ts'
import type { Home, Scope } from '../../test/e2e/harness/scope.ts'
import { type Sshd, startSshd } from '../../test/e2e/harness/sshd.ts'
import { makeHome } from './scope.ts'

export const NODE_NAME = 'bench'
/** Beside the program that runs; another build can be named, to compare two. */
const SALLY = process.env['BENCH_SALLY'] ?? join(import.meta.dirname, 'sally/sally.js')

export interface World {
	readonly origin: string
	readonly email: string
	readonly password: string
	readonly relay: Child
	readonly agent: Child
	readonly sshd: Sshd
	/** The user's, signed in and paired. */
	readonly home: Home
	readonly agentHome: Home
	/** A command line that runs `sally` as the user. */
	readonly sally: readonly string[]
	token(scopes: readonly string[]): Promise<string>
}

/** Lets the memory bench ask the relay for a full collection; costs nothing until then. */
const COLLECT_ON_SIGNAL = ['--expose-gc', "--import=data:text/javascript,process.on('SIGUSR2',()=>gc())"]

/** Extra arguments of Node for one of the programs, such as `BENCH_RELAY_NODE='--cpu-prof --cpu-prof-dir=/tmp/prof'`. */
export function nodeArguments(program: 'RELAY' | 'AGENT' | 'CLIENT' | 'BACKGROUND'): readonly string[] {
	return (process.env[`BENCH_${program}_NODE`] ?? '').split(' ').filter((word) => word !== '')
}

export async function openWorld(scope: Scope): Promise<World> {
	if (!existsSync(SALLY)) throw new Error('sally is not built: run npm run build')
	const sshd = await startSshd(scope)
	const [relayHome, agentHome, home] = [makeHome(scope, 'relay'), makeHome(scope, 'agent'), makeHome(scope, 'user')]
	const relay = startChild(scope, process.execPath, [...COLLECT_ON_SIGNAL, ...nodeArguments('RELAY'), SALLY, 'relay'], {
		name: 'relay',
		cwd: relayHome.folder,
		// One user opens all links here, from one address.
		env: { ...relayHome.env, PORT: '0', NEW_LINKS_PER_MINUTE: '100000', HELLOS_PER_MINUTE: '100000', LOG_LEVEL: 'warn' },
	})
	const ready = await relay.waitForOutput(/relay is ready: (\S+)#setup=(\S+)/)
	const origin = new URL(ready[1] ?? '').origin
	const email = 'bench@example.com'
	const password = randomBytes(18).toString('base64url')
	const made = await fetch(`${origin}/api/setup`, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ setup_secret: ready[2], email, username: 'bench', password }),
	})
	if (!made.ok) throw new Error(`set-up was refused: ${await made.text()}`)
	const run = async (args: readonly string[], input?: string) => {
		const done = await runChild(scope, process.execPath, [SALLY, ...args], {
			name: `sally ${args[0]}`,
			env: home.env,
			cwd: home.folder,
			...(input === undefined ? {} : { input }),
		})
		if (done.status !== 0) throw new Error(`sally ${args.join(' ')} failed: ${done.stderr}`)
		return done.stdout
	}
	await run(['login', origin, '--email', email, '--password-stdin'], password)
	const adding = startChild(scope, process.execPath, [SALLY, 'add', NODE_NAME], {
		name: 'sally add',
		env: home.env,
		cwd: home.folder,
	})
	const join_ = await adding.waitForOutput(/sly_join_v1\.\S+/)
	const agent = startChild(
		scope,
		process.execPath,
		[...nodeArguments('AGENT'), SALLY, 'agent', 'join', '--from-stdin', '--yes'],
		{
			name: 'agent',
			cwd: agentHome.folder,
			env: { ...agentHome.env, PORT: '0', SSH_PORT: String(sshd.port), NODE_NAME, LOG_LEVEL: 'warn' },
		},
	)
	agent.write(`${join_[0]}\n`)
	agent.endInput()
	const added = await adding.exited
	if (added.status !== 0) throw new Error(`pairing failed: ${adding.stderr()}${agent.stderr()}`)
	scope.defer(async () => void (await run(['logout']).catch(() => '')))
	// Else the first command would start it, with no say in Node's arguments.
	if (nodeArguments('BACKGROUND').length > 0) {
		startChild(scope, process.execPath, [...nodeArguments('BACKGROUND'), SALLY, 'background'], {
			name: 'background',
			env: home.env,
			cwd: home.folder,
		})
	}
	return {
		origin,
		email,
		password,
		relay,
		agent,
		sshd,
		home,
		agentHome,
		sally: [process.execPath, ...nodeArguments('CLIENT'), SALLY],
		async token(scopes) {
			const signIn = await fetch(`${origin}/api/cli/login`, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify({ email, password, device_name: 'bench' }),
			})
			const { token }: { token: string } = JSON.parse(await signIn.text())
			const created = await fetch(`${origin}/api/tokens`, {
				method: 'POST',
				headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
				body: JSON.stringify({ name: 'bench', scopes, expires_in_days: 1 }),
			})
			const answer: { token?: string } = JSON.parse(await created.text())
			if (answer.token === undefined) throw new Error(`no access token: ${JSON.stringify(answer)}`)
			return answer.token
		},
	}
}

/** Runs a program of this folder, given its task as JSON; it answers with one JSON line. */
export async function runPart<T>(
	scope: Scope,
	part: 'client' | 'light-nodes' | 'chain',
	task: object,
	env: Readonly<Record<string, string>>,
): Promise<T> {
	const child = startPart(scope, part, task, env)
	child.endInput()
	const { status } = await child.exited
	if (status !== 0) throw new Error(`${part} failed (${status}): ${child.stderr()}${scope.logs().slice(-4000)}`)
	const answer: T = JSON.parse(child.stdout().trim().split('\n').at(-1) ?? '')
	return answer
}

/** The task is its first line of input, which stays open. */
export function startPart(
	scope: Scope,
	part: 'client' | 'light-nodes' | 'chain',
	task: object,
	env: Readonly<Record<string, string>>,
): Child {
	const extra = part === 'client' ? nodeArguments('CLIENT') : []
	const child = startChild(scope, process.execPath, [...extra, join(import.meta.dirname, `parts/${part}.js`)], {
		name: part,
		env,
	})
	child.write(`${JSON.stringify(task)}\n`)
	return child
}
