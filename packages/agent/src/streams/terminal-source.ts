/** How a program ended. Exactly one of the two is there, unless neither is known. */
export interface TerminalExit {
	readonly status?: number
	/** Without the SIG prefix. */
	readonly signal?: string
}

export interface TerminalSourceHandlers {
	/** Bytes for the screen; they are the handler's to keep. */
	readonly onData: (bytes: Uint8Array) => void
	/** After the last byte. Exactly once. */
	readonly onExit: (exit: TerminalExit) => void
}

/** What a terminal shows: a pty of this machine, or a shell at the other end of an SSH connection. */
export interface TerminalSource {
	/** Begins to read; called once. */
	start(handlers: TerminalSourceHandlers): void
	/** `onTaken` is called when the program's side has taken the bytes, or is gone. */
	write(bytes: Uint8Array, onTaken: () => void): void
	resize(cols: number, rows: number): void
	/** Sends a signal by its name without SIG to what runs in front. */
	signal(name: string): void
	/** Stops reading, so that the program waits. */
	pause(): void
	resume(): void
	/** Hangs up; `onExit` follows. Idempotent. */
	end(): void
}
