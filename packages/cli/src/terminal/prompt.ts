import { openSync } from 'node:fs'
import { ReadStream, WriteStream } from 'node:tty'
import { CliError, EXIT } from '../exit-codes.ts'

const ENTER = new Set(['\r', '\n'])
const BACKSPACE = new Set(['\b', '\x7f'])
const MAX_CHARS = 4096

/** A person at a terminal, asked over the terminal itself: stdin and stdout stay free for data. */
export interface Prompter {
	/** Asks for a line. */
	text(question: string): Promise<string>
	/** Asks for a line that nobody may read over a shoulder. */
	secret(question: string): Promise<string>
	/** Yes or no; the default is no. */
	confirm(question: string): Promise<boolean>
	close(): void
}

/** Undefined: nobody is there to ask. */
export function openPrompter(): Prompter | undefined {
	const streams = openTerminal()
	if (streams === undefined) return undefined
	const { input, output } = streams
	const ask = async (question: string, isEchoed: boolean): Promise<string> => {
		// Raw first: what is typed as soon as the question shows must not be echoed by the terminal itself.
		input.setRawMode(true)
		output.write(question)
		try {
			return await readLine(input, isEchoed ? (text) => output.write(text) : () => true)
		} finally {
			output.write('\n')
		}
	}
	return {
		text: async (question) => (await ask(question, true)).trim(),
		secret: (question) => ask(question, false),
		confirm: async (question) => /^y(es)?$/i.test((await ask(`${question} [y/N] `, true)).trim()),
		close: () => {
			input.destroy()
			output.destroy()
		},
	}
}

/** As `openPrompter`, but a missing terminal is told, with what to do instead. */
export function requirePrompter(instead: string): Prompter {
	const prompter = openPrompter()
	if (prompter !== undefined) return prompter
	throw new CliError(EXIT.usage, `there is no terminal to ask on: ${instead}`)
}

function openTerminal(): { readonly input: ReadStream; readonly output: WriteStream } | undefined {
	try {
		return { input: new ReadStream(openSync('/dev/tty', 'r')), output: new WriteStream(openSync('/dev/tty', 'w')) }
	} catch {
		// No controlling terminal.
		return undefined
	}
}

/** Reads from a terminal in raw mode, so that secrets never echo, and leaves the terminal as it was on every way out. */
function readLine(input: ReadStream, echo: (text: string) => unknown): Promise<string> {
	return new Promise((resolve, reject) => {
		let line = ''
		const finish = (error: CliError | undefined): void => {
			input.off('data', onData)
			input.off('end', onEnd)
			input.setRawMode(false)
			input.pause()
			if (error === undefined) resolve(line)
			else reject(error)
		}
		const onEnd = (): void => finish(new CliError(EXIT.failed, 'given up'))
		const onData = (chunk: Buffer): void => {
			for (const char of chunk.toString('utf8')) {
				if (ENTER.has(char)) return finish(undefined)
				if (char === '\x03' || char === '\x04') return finish(new CliError(130, 'given up'))
				if (BACKSPACE.has(char)) {
					if (line.length > 0) echo('\b \b')
					line = [...line].slice(0, -1).join('')
				} else if (char >= ' ' && line.length < MAX_CHARS) {
					line += char
					echo(char)
				}
			}
			return undefined
		}
		input.on('data', onData)
		input.on('end', onEnd)
		input.resume()
	})
}
