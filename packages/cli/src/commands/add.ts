import type { Context } from '../context.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import { showText } from '../text/plain.ts'

/** `sally add [NAME]`: shows the line to paste on a new machine, and pairs with it as soon as it is there. */
export async function add(context: Context, name: string | undefined): Promise<number> {
	const profile = await context.openProfile()
	const { username } = await profile.session.require()
	const client = await profile.openClient()
	try {
		const offer = await client.createJoin({ user: username, ...(name === undefined ? {} : { name }) })
		context.say('Run this on the new machine; it works once, and until ' + new Date(offer.expiresAtMs).toLocaleString())
		context.print(offer.command)
		context.say('waiting for the machine; Ctrl+C withdraws the command')
		process.once('SIGINT', () => {
			void offer.cancel().finally(() => process.exit(130))
		})
		const node = await offer.joined
		if (context.options.json) context.printJson(node)
		else context.say(`${showText(node.name)} is here, and paired with this computer`)
		return EXIT.ok
	} catch (caught) {
		throw CliError.from(caught)
	} finally {
		client.close()
	}
}
