/** A relay with one machine and one person at a terminal, all of them real programs. */
import { createHash, randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import type { spawn as ptySpawn } from '@lydell/node-pty'
import {
	createHome,
	type Home,
	type Ran,
	type Running,
	type Scope,
	type Settings,
	sally,
	sallyPath,
	startUp,
	waitFor,
} from './harness/index.ts'

export const OWNER = { email: 'ada@example.com', username: 'ada', password: 'correct horse battery staple' } as const

export interface World {
	readonly up: Running
	/** The person's own computer. */
	readonly laptop: Home
	readonly node: { readonly id: string; readonly name: string }
	/** Runs a command on the laptop. */
	run(
		args: readonly string[],
		options?: { readonly input?: string | Uint8Array; readonly timeoutMs?: number; readonly env?: Settings },
	): Promise<Ran>
}

/** `sally up`, its owner, and a laptop that is signed in and paired by the first run's invite. */
export async function createWorld(scope: Scope, env: Settings = {}): Promise<World> {
	const up = await startUp(scope, createHome(scope, `up-${randomBytes(3).toString('hex')}`), {
		NEW_LINKS_PER_MINUTE: '1000',
		...env,
	})
	const fragment = new URLSearchParams(new URL(up.link).hash.slice(1))
	await setUp(up.origin, fragment.get('setup') ?? '')
	const laptop = await signedIn(scope, up.origin)
	const run: World['run'] = (args, options = {}) => sally(scope, laptop, args, options)
	const paired = await run(['pair', '--invite', '--yes', '--json'], { input: fragment.get('invite') ?? '' })
	if (paired.status !== 0) throw new Error(`pairing failed: ${paired.stderr}`)
	const { nodeId, nodeName } = JSON.parse(paired.stdout) as { nodeId: string; nodeName: string }
	return { up, laptop, node: { id: nodeId, name: nodeName }, run }
}

export async function setUp(origin: string, secret: string): Promise<void> {
	const { email, username, password } = OWNER
	const response = await fetch(`${origin}/api/setup`, {
		method: 'POST',
		headers: { 'content-type': 'application/json', origin, 'x-sallyport-csrf': '1' },
		body: JSON.stringify({ setup_secret: secret, email, username, password }),
	})
	if (!response.ok) throw new Error(`set-up failed: ${response.status} ${await response.text()}`)
}

/** A home of its own, signed in as the owner. */
export async function signedIn(scope: Scope, origin: string, name = 'laptop'): Promise<Home> {
	const home = createHome(scope, `${name}-${randomBytes(3).toString('hex')}`)
	const login = await sally(scope, home, ['login', origin, '--email', OWNER.email, '--password-stdin'], { input: OWNER.password })
	if (login.status !== 0) throw new Error(`login failed: ${login.stderr}`)
	scope.defer(async () => void (await sally(scope, home, ['logout'])))
	return home
}

/** The access token of a sign-in of its own, for asking the relay directly. */
export async function ownerToken(origin: string): Promise<string> {
	const response = await fetch(`${origin}/api/cli/login`, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ email: OWNER.email, password: OWNER.password, device_name: 'test' }),
	})
	const { token } = (await response.json()) as { token: string }
	return token
}

export interface PtyChild {
	write(text: string): void
	output(): string
	resize(cols: number, rows: number): void
	waitForOutput(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>
	readonly exited: Promise<number>
}

/** A command in a terminal of its own. */
export function startInPty(scope: Scope, home: Home, args: readonly string[]): PtyChild {
	const require = createRequire(new URL('../../packages/agent/package.json', import.meta.url))
	const { spawn } = require('@lydell/node-pty') as { readonly spawn: typeof ptySpawn }
	const child = spawn(process.execPath, [sallyPath(), ...args], { cols: 80, rows: 24, cwd: home.folder, env: { ...home.env } })
	let text = ''
	child.onData((data) => {
		text += data
	})
	let isOver = false
	const exited = new Promise<number>((resolve) =>
		child.onExit(({ exitCode }) => {
			isOver = true
			resolve(exitCode)
		}),
	)
	scope.addLog(`terminal: sally ${args.join(' ')}`, () => text)
	scope.defer(() => {
		if (!isOver) child.kill('SIGKILL')
	})
	return {
		write: (typed) => child.write(typed),
		output: () => text,
		resize: (cols, rows) => child.resize(cols, rows),
		waitForOutput: (pattern, timeoutMs = 15_000) =>
			waitFor(`${pattern} in the terminal, which shows:\n${text}`, () => text.match(pattern), timeoutMs),
		exited,
	}
}

export const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')
