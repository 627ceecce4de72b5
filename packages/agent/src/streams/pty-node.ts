import { closeSync, constants as fsConstants, openSync, readSync } from 'node:fs'
import { Socket } from 'node:net'
import { constants as osConstants } from 'node:os'
import type { IPty } from '@lydell/node-pty'
import { spawn } from '@lydell/node-pty'
import { errorText, systemCode } from '../errors.ts'
import type { TerminalExit, TerminalSource, TerminalSourceHandlers } from './terminal-source.ts'

export interface PtyOptions {
	readonly file: string
	readonly args: readonly string[]
	readonly cwd: string
	readonly env: Readonly<Record<string, string>>
	readonly cols: number
	readonly rows: number
}

/** From the hang-up to the certain end. */
const KILL_AFTER_MS = 3_000
const READ_BYTES = 64 * 1024
/** What a pty can hold after its program has gone is far less; the bound is for a background process that goes on writing. */
const TAIL_MAX_BYTES = 512 * 1024

/**
 * Starts a program on a pty of its own.
 *
 * @throws {Error} when the program or the pty can't be had
 */
export function openPty(options: PtyOptions): TerminalSource {
	const pty = spawn(options.file, [...options.args], {
		cwd: options.cwd,
		env: { ...options.env },
		cols: options.cols,
		rows: options.rows,
		name: options.env.TERM ?? 'xterm-256color',
		encoding: null,
	})
	return new NodePty(pty)
}

/**
 * A pty by node-pty 1.1, with two cures. That library gives up reading 200 ms after the program's end, also while it is
 * paused, and on Node 20 the kernel's hang-up overtakes the last kilobytes. So this class takes over the socket, holds
 * the other end of the pty open, and when the program has ended reads what is left before it lets go.
 */
class NodePty implements TerminalSource {
	readonly #pty: IPty
	readonly #socket: Socket
	readonly #masterFd: number
	#slaveFd: number | undefined
	#handlers: TerminalSourceHandlers | undefined
	#isOver = false

	constructor(pty: IPty) {
		const inner = takeInner(pty)
		this.#pty = pty
		this.#socket = inner.socket
		this.#masterFd = inner.masterFd
		this.#slaveFd = openSync(inner.slavePath, fsConstants.O_RDWR | fsConstants.O_NOCTTY)
		this.#socket.pause()
	}

	start(handlers: TerminalSourceHandlers): void {
		this.#handlers = handlers
		this.#socket.on('data', (bytes: Buffer) => handlers.onData(bytes))
		// The master reports EIO once nobody holds the other end; the exit says it better.
		this.#socket.on('error', () => undefined)
		this.#pty.onExit(({ exitCode, signal }) => this.#finish(toExit(exitCode, signal)))
		this.#socket.resume()
	}

	write(bytes: Uint8Array, onTaken: () => void): void {
		if (this.#isOver) onTaken()
		else this.#socket.write(bytes, onTaken)
	}

	resize(cols: number, rows: number): void {
		if (!this.#isOver) this.#pty.resize(cols, rows)
	}

	signal(name: string): void {
		const signal = signalName(name)
		if (!this.#isOver && signal !== undefined) signalGroup(this.#pty.pid, signal)
	}

	pause(): void {
		this.#socket.pause()
	}

	resume(): void {
		if (!this.#isOver) this.#socket.resume()
	}

	end(): void {
		if (this.#isOver) return
		signalGroup(this.#pty.pid, 'SIGHUP')
		// A program that was just started may have no group yet, or not hear it: the second try leaves no choice.
		setTimeout(() => {
			if (!this.#isOver) signalGroup(this.#pty.pid, 'SIGKILL')
		}, KILL_AFTER_MS).unref()
	}

	#finish(exit: TerminalExit): void {
		if (this.#isOver) return
		this.#isOver = true
		this.#drain()
		if (this.#slaveFd !== undefined) closeSync(this.#slaveFd)
		this.#slaveFd = undefined
		this.#socket.destroy()
		this.#handlers?.onExit(exit)
	}

	/** Hands over what the stream holds, then what the kernel holds: a read that would wait has nothing left to give. */
	#drain(): void {
		this.#socket.pause()
		// Before the read, which would also emit what it returns.
		this.#socket.removeAllListeners('data')
		const held: unknown = this.#socket.read()
		if (held instanceof Uint8Array) this.#handlers?.onData(held)
		for (let total = 0; total < TAIL_MAX_BYTES; ) {
			const bytes = new Uint8Array(READ_BYTES)
			const count = readNow(this.#masterFd, bytes)
			if (count === 0) return
			total += count
			this.#handlers?.onData(bytes.subarray(0, count))
		}
	}
}

function readNow(fd: number, into: Uint8Array): number {
	try {
		return readSync(fd, into)
	} catch {
		// EAGAIN: empty. EIO: everybody is gone. Whatever else it is, no more can be read.
		return 0
	}
}

/** What the typed interface of node-pty leaves out. The version is pinned; a test shows that the fields are there. */
function takeInner(pty: IPty): { socket: Socket; masterFd: number; slavePath: string } {
	const socket: unknown = Reflect.get(pty, '_socket')
	const masterFd: unknown = Reflect.get(pty, 'fd')
	const slavePath: unknown = Reflect.get(pty, 'ptsName')
	if (!(socket instanceof Socket) || typeof masterFd !== 'number' || typeof slavePath !== 'string') {
		pty.kill()
		throw new Error('this version of node-pty has another inside than the one this program was built for')
	}
	// Makes node-pty report the exit at once and leave the socket alone: it believes that the socket has closed already.
	Reflect.set(pty, '_emittedClose', true)
	return { socket, masterFd, slavePath }
}

function toExit(exitCode: number, signal: number | undefined): TerminalExit {
	if (signal === undefined || signal === 0) return { status: exitCode }
	const name = Object.entries(osConstants.signals).find(([, number]) => number === signal)?.[0]
	return name === undefined ? { status: 128 + signal } : { signal: name.slice(3) }
}

const SIGNALS = ['HUP', 'INT', 'QUIT', 'TERM', 'KILL', 'USR1', 'USR2', 'CONT', 'TSTP', 'WINCH'] as const

/** The signal that a peer may send under this name. */
export function signalName(name: string): `SIG${(typeof SIGNALS)[number]}` | undefined {
	const known = SIGNALS.find((signal) => signal === name)
	return known === undefined ? undefined : `SIG${known}`
}

/** Signals a process and all that it started in its group; a group that is gone is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
	try {
		process.kill(-pid, signal)
	} catch (error) {
		if (systemCode(error) !== 'ESRCH')
			throw new Error(`process group ${pid} cannot be signalled: ${errorText(error)}`, { cause: error })
	}
}
