import type { ReadStream } from 'node:tty'

const FATAL = ['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

/** Gives every key to the program over there. Returns the way back, which is taken on every end of this process too. */
export function enterRawMode(input: ReadStream): () => void {
	let isRaw = true
	const restore = (): void => {
		if (!isRaw) return
		isRaw = false
		input.setRawMode(false)
		process.off('exit', restore)
		for (const signal of FATAL) process.off(signal, onFatal)
	}
	const onFatal = (signal: NodeJS.Signals): void => {
		restore()
		process.kill(process.pid, signal)
	}
	input.setRawMode(true)
	process.on('exit', restore)
	for (const signal of FATAL) process.on(signal, onFatal)
	return restore
}
