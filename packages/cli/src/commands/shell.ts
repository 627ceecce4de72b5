import { parseWith, type TerminalId, type TerminalInfo, terminalIdSchema } from '@sallyport/protocol'
import { openFramedChannel } from '../background/framed-channel.ts'
import type { LocalEnd } from '../background/local-events.ts'
import type { Context } from '../context.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import { EscapeFilter } from '../terminal/escape.ts'
import { enterRawMode } from '../terminal/raw-mode.ts'
import { showText } from '../text/plain.ts'
import { statusOfEnd } from './exec.ts'
import { listTerminals } from './terminals.ts'

export interface ShellOptions {
	/** Id of a terminal that runs already; true: the newest that nobody looks at. */
	readonly attach?: string | true
	readonly name?: string
}

const HELP = '\r\n~.  leave (the terminal goes on; come back with --attach)\r\n~~  send one tilde\r\n~?  this text\r\n'

/** `sally shell NODE`: a terminal of the machine in this terminal. */
export async function shell(context: Context, node: string, options: ShellOptions): Promise<number> {
	if (!process.stdin.isTTY || !process.stdout.isTTY) {
		throw new CliError(EXIT.usage, 'sally shell needs a terminal at both ends; for scripts there is sally exec')
	}
	const size = terminalSize()
	const attached = options.attach === undefined ? undefined : await findTerminal(context, node, options.attach)
	const { channel, answer } = await context.links.ask(
		attached === undefined
			? {
					op: 'shell',
					node,
					...size,
					...(context.env['TERM'] === undefined ? {} : { term: context.env['TERM'] }),
					...(options.name === undefined ? {} : { name: options.name }),
				}
			: { op: 'attach', node, ...size, terminal: attached },
	)
	const restore = enterRawMode(process.stdin)
	try {
		const end = await runShell(channel)
		restore()
		if (end?.kind === 'detached' || end?.kind === 'link') {
			const id = answer.terminal?.id ?? attached ?? ''
			context.say(`the terminal goes on over there; come back with: sally shell ${showText(node)} --attach ${showText(id)}`)
		}
		return statusOfEnd(end)
	} finally {
		restore()
	}
}

function runShell(channel: Parameters<typeof openFramedChannel>[0]): Promise<LocalEnd | undefined> {
	return new Promise((resolve) => {
		const { stdin, stdout } = process
		const escapes = new EscapeFilter()
		const framed = openFramedChannel(channel, {
			onData: (bytes) => stdout.write(bytes),
			onDrain: () => void stdin.resume(),
			onEnd: (end) => {
				stdin.off('data', onInput)
				stdin.off('end', onInputEnd)
				stdout.off('drain', onDrain)
				stdout.off('resize', onResize)
				stdin.pause()
				stdout.write('', () => resolve(end))
			},
		})
		const leave = (): void => framed.control({ kind: 'detach' })
		const onInput = (chunk: Buffer): void => {
			for (const input of escapes.push(chunk)) {
				if (input.kind === 'leave') return leave()
				if (input.kind === 'help') stdout.write(HELP)
				else if (!framed.write(input.bytes)) stdin.pause()
			}
			return undefined
		}
		const onInputEnd = (): void => leave()
		const onDrain = (): void => framed.resume()
		const onResize = (): void => framed.control({ kind: 'resize', ...terminalSize() })
		stdin.on('data', onInput)
		stdin.on('end', onInputEnd)
		stdout.on('drain', onDrain)
		stdout.on('resize', onResize)
		stdin.resume()
		framed.resume()
	})
}

async function findTerminal(context: Context, node: string, wanted: string | true): Promise<TerminalId> {
	if (wanted !== true) {
		const id = parseWith(terminalIdSchema, wanted)
		if (id.ok) return id.value
		throw new CliError(EXIT.usage, 'that is not the id of a terminal; see sally terminals')
	}
	const free = (await listTerminals(context, node)).filter((terminal: TerminalInfo) => terminal.attached === 0)
	const newest = [...free].sort((left, right) => right.created_at - left.created_at)[0]
	if (newest !== undefined) return newest.terminal_id
	throw new CliError(EXIT.notFound, 'no terminal is waiting there; leave out --attach to open one', { code: 'not_found' })
}

function terminalSize(): { readonly cols: number; readonly rows: number } {
	const clamp = (value: number, fallback: number): number => Math.min(1000, Math.max(1, value || fallback))
	return { cols: clamp(process.stdout.columns, 80), rows: clamp(process.stdout.rows, 24) }
}
