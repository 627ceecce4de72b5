import type { SallyClient } from '@sallyport/client'
import type { NodeInfo } from '@sallyport/protocol'
import type { Context } from '../context.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import { showText } from '../text/plain.ts'

/** `sally add [NAME]`: shows the line to paste on a new machine, and pairs with it as soon as it is there. */
export async function add(context: Context, name: string | undefined): Promise<number> {
	const profile = await context.openProfile()
	const { username } = await profile.session.require()
	const client = await profile.openClient()
	let withdrawal: Promise<void> | undefined
	try {
		const offer = await client.createJoin({ user: username, ...(name === undefined ? {} : { name }) })
		context.say('Run this on the new machine; it works once, and until ' + new Date(offer.expiresAtMs).toLocaleString())
		context.print(offer.command)
		context.say('waiting for the machine; Ctrl+C withdraws the command')
		process.once('SIGINT', () => {
			withdrawal = offer.cancel()
			withdrawal.catch(() => undefined)
		})
		const node = await named(context, client, await offer.joined, name)
		if (context.options.json) context.printJson(node)
		else context.say(`${showText(node.name)} is here, and paired with this computer`)
		return EXIT.ok
	} catch (caught) {
		if (withdrawal === undefined) throw CliError.from(caught)
		// Not before the relay has heard of it: a line that still works must not be called withdrawn.
		await withdrawal
		throw new CliError(130, 'the line is withdrawn')
	} finally {
		client.close()
	}
}

/** The machine proposed a name of its own when it came; the one that was asked for here wins, where it is free. */
async function named(context: Context, client: SallyClient, node: NodeInfo, name: string | undefined): Promise<NodeInfo> {
	if (name === undefined || name === node.name) return node
	try {
		return await client.api.renameNode(node.id, name)
	} catch (caught) {
		context.say(`it could not be named ${showText(name)}: ${CliError.from(caught).message}`)
		return node
	}
}
