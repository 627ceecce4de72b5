import type { Client, ClientChannel } from 'ssh2'
import type { TerminalExit, TerminalSource, TerminalSourceHandlers } from './terminal-source.ts'

/** A shell at the other end of an SSH connection, which ends with it. */
export class SshSource implements TerminalSource {
	readonly #client: Client
	readonly #channel: ClientChannel
	#exit: TerminalExit = {}

	constructor(client: Client, channel: ClientChannel) {
		this.#client = client
		this.#channel = channel
	}

	start(handlers: TerminalSourceHandlers): void {
		let isOver = false
		const finish = (): void => {
			if (isOver) return
			isOver = true
			this.#client.end()
			handlers.onExit(this.#exit)
		}
		this.#channel.on('data', (bytes: Buffer) => handlers.onData(bytes))
		this.#channel.stderr.on('data', (bytes: Buffer) => handlers.onData(bytes))
		this.#channel.on('exit', (status: number | null, signal?: string) => {
			this.#exit = status === null ? (signal === undefined ? {} : { signal: signal.slice(0, 16) }) : { status }
		})
		this.#channel.on('error', () => finish())
		this.#channel.on('close', finish)
		this.#client.on('close', finish)
	}

	write(bytes: Uint8Array, onTaken: () => void): void {
		if (this.#channel.writable) this.#channel.write(bytes, onTaken)
		else onTaken()
	}

	resize(cols: number, rows: number): void {
		if (this.#channel.writable) this.#channel.setWindow(rows, cols, 0, 0)
	}

	signal(name: string): void {
		if (this.#channel.writable) this.#channel.signal(name)
	}

	pause(): void {
		this.#channel.pause()
	}

	resume(): void {
		this.#channel.resume()
	}

	end(): void {
		this.#channel.close()
		this.#client.end()
	}
}
