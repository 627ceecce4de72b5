import { nameField, parseWith, type TerminalInfo, terminalIdSchema, timeField, uintField } from '@sallyport/protocol'
import * as v from 'valibot'
import type { Context } from '../context.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import { showText } from '../text/plain.ts'
import { formatAgo } from '../text/quantities.ts'
import { formatTable } from '../text/table.ts'

const listSchema: v.GenericSchema<unknown, readonly TerminalInfo[]> = v.array(
	v.object({
		terminal_id: terminalIdSchema,
		name: nameField,
		kind: v.picklist(['shell', 'ssh']),
		created_at: timeField,
		cols: uintField,
		rows: uintField,
		attached: uintField,
	}),
)

export async function listTerminals(context: Context, node: string): Promise<readonly TerminalInfo[]> {
	const list = parseWith(listSchema, await context.links.result({ op: 'terminals', node }))
	if (list.ok) return list.value
	throw new CliError(EXIT.failed, `the list of terminals is not understood (${list.error.detail})`)
}

/** `sally terminals NODE [--end ID]` */
export async function terminals(context: Context, node: string, options: { readonly end?: string }): Promise<number> {
	if (options.end !== undefined) {
		const terminal = parseWith(terminalIdSchema, options.end)
		if (!terminal.ok) throw new CliError(EXIT.usage, 'that is not the id of a terminal')
		await context.links.result({ op: 'end_terminal', node, terminal: terminal.value })
		return EXIT.ok
	}
	const list = await listTerminals(context, node)
	if (context.options.json) {
		context.printJson(list)
		return EXIT.ok
	}
	const rows = list.map((terminal) => [
		terminal.terminal_id,
		showText(terminal.name, 40),
		terminal.kind,
		formatAgo(terminal.created_at, Date.now()),
		terminal.attached === 0 ? 'waiting' : `${terminal.attached} looking`,
	])
	context.print(formatTable(['ID', 'NAME', 'KIND', 'OPENED', 'STATE'], rows))
	return EXIT.ok
}
