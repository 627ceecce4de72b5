import { constants } from 'node:os'
import { openFramedChannel } from '../background/framed-channel.ts'
import type { LocalEnd } from '../background/local-events.ts'
import type { Context } from '../context.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import { flush, writePaced } from '../terminal/stdio.ts'
import { showText } from '../text/plain.ts'

export interface ExecOptions {
	readonly cwd?: string
	readonly env?: readonly string[]
	/** False after `--no-stdin`. */
	readonly stdin: boolean
}

const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const
const BROKEN_PIPE_STATUS = 128 + 13

/** `sally exec NODE -- CMD…`: runs one program, without a terminal, and ends as it ends. */
export async function exec(context: Context, node: string, argv: readonly string[], options: ExecOptions): Promise<number> {
	const env = parseEnvironment(options.env ?? [])
	const { channel } = await context.links.ask({
		op: 'exec',
		node,
		argv: [...argv],
		...(options.cwd === undefined ? {} : { cwd: options.cwd }),
		...(env === undefined ? {} : { env }),
	})
	return new Promise((resolve, reject) => {
		const outputs = { out: process.stdout, error: process.stderr }
		const input = options.stdin ? process.stdin : undefined
		const framed = openFramedChannel(channel, {
			onData: (bytes, isError) => writePaced(isError ? outputs.error : outputs.out, bytes),
			onDrain: () => void input?.resume(),
			onEnd: (end) => {
				input?.destroy()
				for (const signal of PASSED_ON) process.removeAllListeners(signal)
				Promise.all([flush(outputs.out), flush(outputs.error)])
					.then(() => statusOfEnd(end))
					.then(resolve, reject)
			},
		})
		for (const output of Object.values(outputs)) {
			output.on('drain', () => framed.resume())
			// Whoever read us is gone: the program over there ends as it would here.
			output.on('error', () => {
				framed.destroy()
				resolve(BROKEN_PIPE_STATUS)
			})
		}
		if (input === undefined) framed.end()
		input?.on('data', (chunk: Buffer) => {
			if (!framed.write(chunk)) input.pause()
		})
		input?.on('end', () => framed.end())
		input?.on('error', () => framed.end())
		passSignalsOn((signal) => framed.control({ kind: 'signal', signal }))
		framed.resume()
	})
}

/** A signal goes to the program over there; the same again ends this one. */
function passSignalsOn(send: (name: string) => void): void {
	for (const signal of PASSED_ON) {
		process.once(signal, () => {
			process.once(signal, () => process.exit(signalStatus(signal.slice(3))))
			send(signal.slice(3))
		})
	}
}

export function statusOfEnd(end: LocalEnd | undefined): number {
	switch (end?.kind) {
		case 'exit':
			return end.signal === undefined ? (end.status ?? 0) : signalStatus(end.signal)
		case 'detached':
			return EXIT.ok
		case 'reset':
			throw new CliError(EXIT.transport, showText(end.message) || end.code, { code: end.code })
		case 'link':
			throw new CliError(EXIT.transport, showText(end.message))
		case undefined:
			throw new CliError(EXIT.transport, 'the background process ended; what ran over there may go on')
		default:
			return end satisfies never
	}
}

/** 128 + n, as shells say it; a signal that this system doesn't know counts as TERM. */
export function signalStatus(name: string): number {
	const numbers: Readonly<Record<string, number | undefined>> = constants.signals
	return 128 + (numbers[`SIG${name}`] ?? constants.signals.SIGTERM)
}

function parseEnvironment(items: readonly string[]): Record<string, string> | undefined {
	if (items.length === 0) return undefined
	return Object.fromEntries(
		items.map((item) => {
			const equals = item.indexOf('=')
			if (equals < 1) throw new CliError(EXIT.usage, `"${showText(item)}" is not NAME=VALUE`)
			return [item.slice(0, equals), item.slice(equals + 1)]
		}),
	)
}
