import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import type { Clock, InboundStream, LinkStream } from '@sallyport/carrier'
import type { OpenStream } from '@sallyport/protocol'
import { systemCode } from '../errors.ts'
import { sendFrom, writeTo } from './pipe.ts'
import { signalGroup, signalName } from './pty-node.ts'
import type { Account } from './shell-environment.ts'
import { homeFolder, userEnvironment } from './shell-environment.ts'

export type ExecRequest = Extract<OpenStream, { kind: 'exec' }>

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
/** From the polite signal to the certain one. */
const KILL_AFTER_MS = 5_000

/** Runs a program as named, by no shell, with its three streams apart. */
export function openExec(
	inbound: InboundStream,
	request: ExecRequest,
	deps: { readonly clock: Clock; readonly env: NodeJS.ProcessEnv; readonly account: Account },
): void {
	const problem = requestProblem(request)
	if (problem !== undefined) {
		inbound.stream.reset('spawn_failed', problem)
		return
	}
	const [file = '', ...args] = request.argv
	const folder = request.cwd === undefined ? homeFolder(deps.account) : resolve(homeFolder(deps.account), request.cwd)
	if (!isFolder(folder)) {
		inbound.stream.reset('spawn_failed', `${folder} is not a folder on this machine`)
		return
	}
	// A group of its own, so that what it starts can be ended with it.
	const child = spawn(file, args, {
		cwd: folder,
		env: { ...userEnvironment(deps.env, deps.account), ...request.env },
		detached: true,
		stdio: 'pipe',
	})
	child.once('error', (error) => inbound.stream.reset('spawn_failed', spawnProblem(file, error)))
	child.once('spawn', () => {
		inbound.accept()
		joinChild(inbound.stream, child, deps.clock)
	})
}

function joinChild(stream: LinkStream, child: ChildProcessWithoutNullStreams, clock: Clock): void {
	const sources = [sendFrom(child.stdout, stream, 1), sendFrom(child.stderr, stream, 2)]
	let isOver = false
	const kill = (): void => {
		if (isOver || child.pid === undefined) return
		const { pid } = child
		signalGroup(pid, 'SIGTERM')
		const cancel = clock.setTimer(KILL_AFTER_MS, () => signalGroup(pid, 'SIGKILL'))
		child.once('close', cancel)
		// What it still prints goes nowhere, but must not hold it up.
		for (const output of [child.stdout, child.stderr]) output.removeAllListeners('data').resume()
		child.stdin.destroy()
	}
	// A program that closes its input early is no fault; its exit tells the rest.
	child.stdin.on('error', () => undefined)
	child.once('close', (status, signal) => {
		isOver = true
		stream.send(signal === null ? { op: 'exit', status: status ?? 0 } : { op: 'exit', signal: signal.slice(3) })
		stream.end()
	})
	stream.setHandlers({
		onData: (bytes) => writeTo(child.stdin, stream, bytes),
		onEnd: () => child.stdin.end(),
		onDrain: () => {
			for (const source of sources) source.drained()
		},
		onMessage: (message) => {
			const signal = message.op === 'signal' ? signalName(message.signal) : undefined
			if (signal !== undefined && !isOver && child.pid !== undefined) signalGroup(child.pid, signal)
		},
		onReset: kill,
	})
}

function requestProblem(request: ExecRequest): string | undefined {
	if (request.argv[0] === '') return 'the program has no name'
	const texts = [...request.argv, request.cwd ?? '', ...Object.values(request.env ?? {})]
	if (texts.some((text) => text.includes('\0'))) return 'an argument holds a NUL character'
	const badName = Object.keys(request.env ?? {}).find((name) => !VARIABLE_NAME.test(name))
	return badName === undefined ? undefined : `${JSON.stringify(badName)} is not the name of an environment variable`
}

function spawnProblem(file: string, error: Error): string {
	const name = JSON.stringify(file)
	if (systemCode(error) === 'ENOENT')
		return `${name} was not found on this machine${isAbsolute(file) ? '' : ' (searched in PATH)'}`
	if (systemCode(error) === 'EACCES') return `${name} may not be run by this user`
	if (systemCode(error) === 'E2BIG') return 'the arguments and environment are too long'
	return `${name} could not be started (${systemCode(error)})`
}

function isFolder(path: string): boolean {
	return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
