/** Programs that a test starts, each ended by its own process id. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { Scope } from './scope.ts'
import { waitFor, within } from './wait.ts'

export interface Exit {
	readonly status: number | null
	readonly signal: NodeJS.Signals | null
}

export interface Child {
	readonly pid: number
	readonly name: string
	stdout(): string
	stderr(): string
	/** Settles when the program has ended and its output is complete. */
	readonly exited: Promise<Exit>
	isRunning(): boolean
	write(text: string | Uint8Array): void
	endInput(): void
	kill(signal: NodeJS.Signals): void
	/** Waits for a match in the whole output so far; fails at once when the program ends without it. */
	waitForOutput(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>
	/** Asks it to end, and makes it end when it doesn't. */
	stop(): Promise<Exit>
}

export interface ChildOptions {
	readonly name?: string
	readonly env?: Readonly<Record<string, string>>
	readonly cwd?: string
	/** How long `stop` lets it end by itself. @default 5000 */
	readonly graceMs?: number
}

const STOP_MS = 5_000

export function startChild(scope: Scope, command: string, args: readonly string[], options: ChildOptions = {}): Child {
	const name = options.name ?? command
	const child = spawn(command, args, { cwd: options.cwd ?? scope.folder, env: options.env ?? process.env, stdio: 'pipe' })
	if (child.pid === undefined) throw new Error(`${name} could not be started: is ${command} installed?`)
	const stdout = collect(child.stdout)
	const stderr = collect(child.stderr)
	let exit: Exit | undefined
	const exited = once(child, 'close').then((): Exit => {
		exit = { status: child.exitCode, signal: child.signalCode }
		return exit
	})
	// A program that ended before it read all its input is judged by its exit, not by this.
	child.stdin.on('error', () => undefined)
	const stop = async (): Promise<Exit> => {
		if (exit !== undefined) return exit
		child.kill('SIGTERM')
		return within(`${name} to end`, exited, options.graceMs ?? STOP_MS).catch(() => {
			child.kill('SIGKILL')
			return within(`${name} to be killed`, exited, STOP_MS)
		})
	}
	scope.addLog(name, () => `${stdout()}${stderr()}`)
	scope.defer(async () => void (await stop()))
	return {
		pid: child.pid,
		name,
		stdout,
		stderr,
		exited,
		isRunning: () => exit === undefined,
		write: (text) => void child.stdin.write(text),
		endInput: () => void child.stdin.end(),
		kill: (signal) => void child.kill(signal),
		async waitForOutput(pattern, timeoutMs = 20_000) {
			const found = await waitFor(
				`${pattern} from ${name}`,
				() => {
					const match = `${stdout()}\n${stderr()}`.match(pattern)
					return match ?? (exit === undefined ? undefined : 'ended')
				},
				timeoutMs,
			)
			if (found === 'ended')
				throw new Error(`${name} ended (${JSON.stringify(exit)}) without ${pattern}:\n${stdout()}${stderr()}`)
			return found
		},
		stop,
	}
}

export interface Ran extends Exit {
	readonly stdout: string
	readonly stderr: string
}

/** Runs a program to its end. */
export async function runChild(
	scope: Scope,
	command: string,
	args: readonly string[],
	options: ChildOptions & { readonly input?: string | Uint8Array; readonly timeoutMs?: number } = {},
): Promise<Ran> {
	const child = startChild(scope, command, args, options)
	if (options.input !== undefined) child.write(options.input)
	child.endInput()
	const exit = await within(`${child.name} to end\n${child.stderr()}`, child.exited, options.timeoutMs ?? 30_000)
	return { ...exit, stdout: child.stdout(), stderr: child.stderr() }
}

function collect(stream: Readable): () => string {
	let text = ''
	stream.setEncoding('utf8').on('data', (chunk: string) => {
		text += chunk
	})
	return () => text
}
