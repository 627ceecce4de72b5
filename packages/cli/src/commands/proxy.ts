import type { Duplex, Writable } from 'node:stream'
import type { Context } from '../context.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import { flush, writePaced } from '../terminal/stdio.ts'
import { parseTarget } from '../text/targets.ts'

/** `sally proxy NODE [HOST:PORT]`: bytes between standard input and output and the machine, and nothing else. */
export async function proxy(context: Context, node: string, target: string | undefined): Promise<number> {
	const { channel, answer } = await context.links.ask({ op: 'tcp', node, ...parseTarget(target) })
	const output = process.stdout
	const isWhole = await pump(channel, output)
	await flush(output)
	if (isWhole && answer.stream === undefined) return EXIT.ok
	const reason = answer.stream === undefined ? null : await context.links.result({ op: 'outcome', stream: answer.stream })
	if (typeof reason === 'string') throw new CliError(EXIT.transport, reason)
	if (!isWhole) throw new CliError(EXIT.transport, 'the connection to the machine was lost')
	return EXIT.ok
}

/**
 * Carries both directions, each paced by its reader, until the machine ends its side or nobody reads what it says.
 * False: the channel broke.
 */
function pump(channel: Duplex, output: Writable): Promise<boolean> {
	return new Promise((resolve) => {
		const input = process.stdin
		let isEnded = false
		const finish = (isWhole: boolean): void => {
			input.destroy()
			channel.destroy()
			resolve(isWhole)
		}
		channel.on('data', (chunk: Buffer) => {
			if (!writePaced(output, chunk)) channel.pause()
		})
		output.on('drain', () => channel.resume())
		// Whoever read our output is gone: so is the purpose.
		output.on('error', () => finish(true))
		channel.on('end', () => {
			isEnded = true
			finish(true)
		})
		channel.on('error', () => undefined)
		channel.on('close', () => {
			if (!isEnded) finish(false)
		})
		input.on('data', (chunk: Buffer) => {
			if (!channel.write(chunk)) input.pause()
		})
		channel.on('drain', () => input.resume())
		input.on('end', () => channel.end())
		input.on('error', () => channel.end())
		channel.resume()
	})
}
