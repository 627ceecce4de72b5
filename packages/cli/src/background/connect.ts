import { spawn } from 'node:child_process'
import { chmod, lstat, mkdir } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { withFileLock } from '@sallyport/client/node'
import { BULK_FLAGS, scriptPath } from '../build-id.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import type { ProfilePaths } from '../profile/paths.ts'
import { LOCAL_BUFFER_BYTES } from './server.ts'

/** How long a process may take to start: a busy machine, a cold disk. */
const START_MS = 15_000
const POLL_MS = 10

/** A connection to the profile's background process, which is started when there is none. */
export async function connectBackground(paths: ProfilePaths): Promise<Socket> {
	const running = await tryConnect(paths.socket)
	if (running !== undefined) return running
	await ensureRuntimeDir(paths.runtimeDir)
	const socket = await withFileLock(paths.lock, { waitMs: START_MS, staleMs: START_MS * 2 }, () => startAndConnect(paths))
	if (socket !== undefined) return socket
	throw new CliError(EXIT.failed, 'the background process did not start in time; use --no-share to do without it')
}

/** As `connectBackground`, but starts nothing. */
export function tryConnect(path: string): Promise<Socket | undefined> {
	return new Promise((resolve, reject) => {
		// `highWaterMark` reaches the stream, though the types don't name it.
		const options = { path, allowHalfOpen: true, highWaterMark: LOCAL_BUFFER_BYTES }
		const socket = connect(options)
		socket.once('connect', () => {
			socket.removeAllListeners('error')
			resolve(socket)
		})
		socket.once('error', (error: NodeJS.ErrnoException) => {
			if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined)
			else if (error.code === 'EAGAIN') setTimeout(() => resolve(tryConnect(path)), POLL_MS)
			else reject(new CliError(EXIT.failed, `the background process can't be reached (${error.code ?? error.message})`))
		})
	})
}

async function startAndConnect(paths: ProfilePaths): Promise<Socket> {
	// Another command may have started it while this one waited for the lock.
	const running = await tryConnect(paths.socket)
	if (running !== undefined) return running
	const child = spawn(process.execPath, [...BULK_FLAGS, scriptPath(), '--profile', paths.name, 'background'], {
		detached: true,
		// An inherited stderr would keep ssh waiting for its end.
		stdio: 'ignore',
		cwd: '/',
		env: process.env,
	})
	const exited = new Promise<'exited'>((resolve) => child.once('exit', () => resolve('exited')))
	child.once('error', () => undefined)
	child.unref()
	const deadline = Date.now() + START_MS
	for (;;) {
		const socket = await tryConnect(paths.socket)
		if (socket !== undefined) return socket
		const state = await Promise.race([exited, pause(POLL_MS)])
		if (state === 'exited') {
			throw new CliError(EXIT.failed, 'the background process ended at its start; use --no-share to see why')
		}
		if (Date.now() > deadline) {
			throw new CliError(EXIT.failed, 'the background process did not start in time; use --no-share to do without it')
		}
	}
}

/** The folder of the socket: ours, and closed to others, wherever it lies. */
async function ensureRuntimeDir(path: string): Promise<void> {
	await mkdir(path, { recursive: true, mode: 0o700 })
	const stat = await lstat(path)
	if (!stat.isDirectory() || stat.uid !== process.getuid?.()) {
		throw new CliError(EXIT.failed, `${path} is not a folder of yours: remove it, or use --no-share`)
	}
	if ((stat.mode & 0o077) !== 0) await chmod(path, 0o700)
}

function pause(ms: number): Promise<undefined> {
	return new Promise((resolve) => setTimeout(() => resolve(undefined), ms))
}
