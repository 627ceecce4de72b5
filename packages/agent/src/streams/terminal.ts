import type { Clock, LinkStream, StreamReset } from '@sallyport/carrier'
import type { DeviceId, TerminalId, TerminalInfo } from '@sallyport/protocol'
import { LIMITS } from '@sallyport/protocol'
import { OutputLog } from './output-log.ts'
import type { TerminalExit, TerminalSource } from './terminal-source.ts'

/** Whose terminal it is: the same device of the same user may come back to it. */
export interface TerminalOwner {
	readonly deviceId: DeviceId
	readonly user: string
}

export interface TerminalOptions {
	readonly id: TerminalId
	readonly name: string
	readonly kind: TerminalInfo['kind']
	readonly owner: TerminalOwner
	readonly cols: number
	readonly rows: number
	readonly source: TerminalSource
	readonly clock: Clock
	/** How long it goes on with nobody attached. */
	readonly detachedMs: number
	readonly onChange: () => void
	readonly onExit: () => void
}

/**
 * A shell that outlives links. One stream shows it at a time: a new one takes over. While that stream is out of credit
 * the program is paused; with nobody attached the program runs on and the last output is kept for the next to attach.
 */
export class Terminal {
	readonly id: TerminalId
	readonly kind: TerminalInfo['kind']
	readonly owner: TerminalOwner
	readonly createdAtMs: number
	readonly #source: TerminalSource
	readonly #clock: Clock
	readonly #options: TerminalOptions
	readonly #log = new OutputLog(LIMITS.terminalReplayBytes)
	#name: string
	#cols: number
	#rows: number
	#viewer: LinkStream | undefined
	#exit: TerminalExit | undefined
	#cancelDetachedEnd: () => void = () => undefined

	constructor(options: TerminalOptions) {
		this.id = options.id
		this.kind = options.kind
		this.owner = options.owner
		this.createdAtMs = options.clock.nowMs()
		this.#source = options.source
		this.#clock = options.clock
		this.#options = options
		this.#name = options.name
		this.#cols = options.cols
		this.#rows = options.rows
		this.#source.start({ onData: (bytes) => this.#show(bytes), onExit: (exit) => this.#finish(exit) })
	}

	get name(): string {
		return this.#name
	}

	get info(): TerminalInfo {
		return {
			terminal_id: this.id,
			name: this.#name,
			kind: this.kind,
			created_at: this.createdAtMs,
			cols: this.#cols,
			rows: this.#rows,
			attached: this.#viewer === undefined ? 0 : 1,
		}
	}

	rename(name: string): void {
		this.#name = name
		this.#options.onChange()
	}

	/** Shows it on a stream: first the kept output, then what comes. */
	attach(stream: LinkStream, size: { readonly cols: number; readonly rows: number }): void {
		const before = this.#viewer
		this.#viewer = stream
		before?.reset('cancelled', 'this terminal was opened in another window of this device')
		this.#cancelDetachedEnd()
		this.resize(size.cols, size.rows)
		let hasRoom = true
		for (const chunk of this.#log.chunks()) hasRoom = stream.write(chunk)
		this.#pace(hasRoom)
		stream.setHandlers({
			onData: (bytes) => this.#source.write(bytes, () => stream.consume(bytes.length)),
			onMessage: (message) => {
				if (message.op === 'resize') this.resize(message.cols, message.rows)
				else if (message.op === 'signal') this.#source.signal(message.signal)
			},
			onDrain: () => {
				if (this.#viewer === stream) this.#source.resume()
			},
			// A half close of the viewer's side means that it is leaving: a shell has no end of input but Ctrl+D.
			onEnd: () => {
				if (this.#exit === undefined) this.#detach(stream)
				stream.end()
			},
			onReset: (reset: StreamReset) => this.#detach(stream, reset),
			onClose: () => this.#detach(stream),
		})
		if (this.#exit !== undefined) this.#sayExit(stream, this.#exit)
		this.#options.onChange()
	}

	resize(cols: number, rows: number): void {
		if (cols === this.#cols && rows === this.#rows) return
		this.#cols = cols
		this.#rows = rows
		this.#source.resize(cols, rows)
	}

	/** Hangs up: the program is told to end. */
	end(): void {
		this.#source.end()
	}

	#show(bytes: Uint8Array): void {
		this.#log.push(bytes)
		if (this.#viewer !== undefined) this.#pace(this.#viewer.write(bytes))
	}

	#pace(hasRoom: boolean): void {
		if (hasRoom) this.#source.resume()
		else this.#source.pause()
	}

	#detach(stream: LinkStream, _reset?: StreamReset): void {
		if (this.#viewer !== stream) return
		this.#viewer = undefined
		if (this.#exit !== undefined) return
		this.#source.resume()
		this.#cancelDetachedEnd = this.#clock.setTimer(this.#options.detachedMs, () => this.end())
		this.#options.onChange()
	}

	#finish(exit: TerminalExit): void {
		this.#exit = exit
		this.#cancelDetachedEnd()
		if (this.#viewer !== undefined) this.#sayExit(this.#viewer, exit)
		this.#options.onExit()
	}

	#sayExit(stream: LinkStream, exit: TerminalExit): void {
		stream.send({ op: 'exit', ...exit })
		stream.end()
	}
}
