/** The built `sally`, as a person runs it: relay, agent and client commands, each with a home of its own. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Child, type ChildOptions, type Ran, runChild, startChild } from './child.ts'
import { createHome, type Home, type Scope } from './scope.ts'

const SALLY = fileURLToPath(new URL('../../../packages/cli/dist/sally.js', import.meta.url))

export type Settings = Readonly<Record<string, string>>

/** Runs one command to its end. */
export function sally(
	scope: Scope,
	home: Home,
	args: readonly string[],
	options: { readonly input?: string | Uint8Array; readonly timeoutMs?: number; readonly env?: Settings } = {},
): Promise<Ran> {
	const { env, ...rest } = options
	return runChild(scope, process.execPath, [sallyPath(), ...args], { ...rest, ...childOptions(home, args, env) })
}

/** Starts a command that stays. */
export function startSally(scope: Scope, home: Home, args: readonly string[], env: Settings = {}): Child {
	return startChild(scope, process.execPath, [sallyPath(), ...args], childOptions(home, args, env))
}

export interface Running {
	readonly child: Child
	readonly home: Home
	/** Without a path or fragment. */
	readonly origin: string
	/** As printed: before set-up it carries the set-up and invite secrets in its fragment. */
	readonly link: string
}

/** `sally up` on free ports: relay and agent together, as `npm start` runs them. */
export async function startUp(scope: Scope, home: Home = createHome(scope, 'up'), env: Settings = {}): Promise<Running> {
	const child = startSally(scope, home, ['up'], { PORT: '0', AGENT_PORT: '0', ...env })
	const match = await child.waitForOutput(/Sallyport is ready: (\S+)/)
	const link = match[1] ?? ''
	return { child, home, link, origin: new URL(link).origin }
}

/** The file that `npm run build` makes; a test of something unbuilt would only mislead. */
export function sallyPath(): string {
	if (!existsSync(SALLY)) throw new Error('sally is not built: run npm run build')
	return SALLY
}

function childOptions(home: Home, args: readonly string[], env: Settings = {}): ChildOptions {
	return { name: `sally ${args.join(' ')}`, env: { ...home.env, ...env }, cwd: home.folder }
}
