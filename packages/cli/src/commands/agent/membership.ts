import { readFile } from 'node:fs/promises'
import { type JoinSummary, readJoin } from '@sallyport/agent'
import type { Context } from '../../context.ts'
import { CliError, EXIT } from '../../exit-codes.ts'
import { openPrompter, requirePrompter } from '../../terminal/prompt.ts'
import { readStdin } from '../../terminal/read-stdin.ts'
import { showText } from '../../text/plain.ts'
import type { ServerFlags } from '../relay.ts'
import { agentHandle, runAgent, withStoppedAgent } from './running.ts'

const MAX_BYTES = 16 * 1024

export interface JoinOptions {
	readonly fromFile?: string
	readonly fromStdin?: boolean
	readonly yes?: boolean
	/** False after `--no-start`. */
	readonly start: boolean
}

/** `sally agent join [text]`: enrols this machine, lets the one device in that made the text, and runs the agent. */
export async function join(
	context: Context,
	flags: ServerFlags,
	text: string | undefined,
	options: JoinOptions,
): Promise<number> {
	const bundle = await readSecret(text, options, 'Paste the join text: ')
	const { config, control } = await agentHandle(context, flags)
	const { summary } = readJoin(bundle, Date.now())
	await confirmJoin(context, summary, options.yes === true)
	if (await control.isRunning()) {
		const { name } = await control.ask({ op: 'join', bundle })
		context.say(`joined as ${showText(name)}; the agent that runs here took it up`)
		return EXIT.ok
	}
	if (!options.start) {
		const { name } = await withStoppedAgent(config, (agent) => agent.join(bundle, async () => true))
		context.say(`joined as ${showText(name)}; start the agent with: sally agent start`)
		return EXIT.ok
	}
	return runAgent(context, config, async (agent) => {
		const { name } = await agent.join(bundle, async () => true)
		context.say(`joined as ${showText(name)}; the agent runs until Ctrl+C (sally agent install keeps it running)`)
	})
}

/** On a terminal the person says yes to who gains access; a script that hands the text over has said it. */
async function confirmJoin(context: Context, summary: JoinSummary, isSure: boolean): Promise<void> {
	const question = `${showText(summary.user)} will be able to enter this machine as you, from ${showText(summary.deviceName)}, through ${showText(summary.origin)}.`
	const prompter = isSure ? undefined : openPrompter()
	if (prompter === undefined) return context.say(question)
	const isTaken = await prompter.confirm(`${question}\nJoin?`).finally(() => prompter.close())
	if (!isTaken) throw new CliError(EXIT.failed, 'nothing was changed: the join was declined', { code: 'join_declined' })
}

export interface LoginOptions {
	readonly relay?: string
	readonly fromFile?: string
	readonly fromStdin?: boolean
}

/** `sally agent login`: enrols by an access token with the scope nodes:enrol. */
export async function login(context: Context, flags: ServerFlags, options: LoginOptions): Promise<number> {
	const { config, control } = await agentHandle(context, flags)
	const origin = options.relay ?? config.relayUrl
	if (origin === undefined) throw new CliError(EXIT.usage, 'at which relay? name it with --relay https://relay.example')
	const token = await readSecret(undefined, options, 'Access token (scope nodes:enrol): ')
	const enrolled = (await control.isRunning())
		? await control.ask({ op: 'enrol', origin, token })
		: await withStoppedAgent(config, (agent) => agent.enrol(origin, token))
	context.say(`enrolled at ${showText(origin)} as ${showText(enrolled.name)}`)
	context.say('to let a device in: sally agent invite, or sally agent approve when it asks')
	return EXIT.ok
}

/** `sally agent logout`: leaves the relay. Pairings stay. */
export async function logout(context: Context, flags: ServerFlags): Promise<number> {
	const { config, control } = await agentHandle(context, flags)
	if (await control.isRunning()) await control.ask({ op: 'logout' })
	else await withStoppedAgent(config, (agent) => agent.logout())
	context.say('this machine has left the relay; remove it there too, in the page')
	return EXIT.ok
}

async function readSecret(
	text: string | undefined,
	options: { readonly fromFile?: string; readonly fromStdin?: boolean },
	question: string,
): Promise<string> {
	if (text !== undefined && text !== '-') return text
	if (options.fromFile !== undefined) return (await readShortFile(options.fromFile)).trim()
	if (options.fromStdin === true || text === '-' || !process.stdin.isTTY) return (await readStdin(MAX_BYTES)).trim()
	const prompter = requirePrompter('use --from-file or --from-stdin')
	return (await prompter.secret(question).finally(() => prompter.close())).trim()
}

async function readShortFile(path: string): Promise<string> {
	try {
		const bytes = await readFile(path)
		if (bytes.length <= MAX_BYTES) return bytes.toString('utf8')
	} catch (cause) {
		throw new CliError(EXIT.usage, `${path} can't be read`, { cause })
	}
	throw new CliError(EXIT.usage, `${path} is too large to be what is wanted here`)
}
