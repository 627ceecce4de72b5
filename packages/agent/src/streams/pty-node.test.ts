import { describe, expect, it } from 'vitest'
import { openPty, signalName } from './pty-node.ts'
import type { TerminalExit, TerminalSource } from './terminal-source.ts'

const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', TERM: 'xterm' }

function start(command: string): {
	source: TerminalSource
	done: Promise<{ text: string; exit: TerminalExit }>
	read: () => number
} {
	const source = openPty({ file: '/bin/sh', args: ['-c', command], cwd: '/', env, cols: 80, rows: 24 })
	const chunks: Uint8Array[] = []
	const done = new Promise<{ text: string; exit: TerminalExit }>((resolve) => {
		source.start({
			onData: (bytes) => chunks.push(bytes),
			onExit: (exit) => resolve({ text: Buffer.concat(chunks).toString(), exit }),
		})
	})
	return { source, done, read: () => chunks.reduce((total, chunk) => total + chunk.length, 0) }
}

describe('pty', () => {
	it('loses nothing of a burst at the end of a program, twenty times', async () => {
		for (let round = 0; round < 20; round++) {
			const { text, exit } = await start('stty raw -echo; head -c 300000 /dev/zero | tr "\\0" x; printf END').done
			expect(exit).toEqual({ status: 0 })
			expect(text.length).toBe(300_003)
			expect(text.endsWith('END')).toBe(true)
		}
	})

	it('hands over what is left when the program ends while its reader has paused it', async () => {
		const { source, done, read } = start('stty raw -echo; printf begin; sleep 0.1; printf "%02000d" 7')
		const paused = new Promise<void>((resolve) => {
			const timer = setInterval(() => {
				if (read() === 0) return
				clearInterval(timer)
				source.pause()
				resolve()
			}, 1)
		})
		await paused
		const { text } = await done
		expect(text).toBe(`begin${'7'.padStart(2000, '0')}`)
	})

	it('ends although a background process holds the terminal', async () => {
		const { exit } = await start('(trap "" HUP; exec sleep 30) & echo $!; exit 3').done
		expect(exit).toEqual({ status: 3 })
	})

	it('reports status and signal', async () => {
		expect((await start('exit 42').done).exit).toEqual({ status: 42 })
		expect((await start('kill -TERM $$').done).exit).toEqual({ signal: 'TERM' })
	})

	it('passes size and signals on, and hangs up when it is ended', async () => {
		const { source, done, read } = start('trap "stty size; exit 5" WINCH; echo ready; while :; do sleep 0.05; done')
		while (read() === 0) await new Promise((resolve) => setImmediate(resolve))
		source.resize(132, 50)
		const { text, exit } = await done
		expect(text).toContain('50 132')
		expect(exit).toEqual({ status: 5 })
		const hung = start('echo ready; exec sleep 60')
		// Between fork and exec a program hears no signal.
		while (hung.read() === 0) await new Promise((resolve) => setImmediate(resolve))
		hung.source.end()
		expect((await hung.done).exit).toEqual({ signal: 'HUP' })
	})

	it('stops the program while nobody reads', async () => {
		const { source, done, read } = start('stty raw -echo; head -c 5000000 /dev/zero')
		source.pause()
		// What is read by then are the few chunks that were under way; the program waits in its write.
		for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
		expect(read()).toBeLessThan(1_000_000)
		source.resume()
		expect((await done).text.length).toBe(5_000_000)
	})

	it('knows the signals that a peer may send, and no others', () => {
		expect(signalName('INT')).toBe('SIGINT')
		for (const name of ['STOP', 'SIGINT', 'int', '9', '']) expect(signalName(name)).toBeUndefined()
	})
})
