import { parseCapabilities } from '@sallyport/agent'
import { type Capability, type PairingRequest, parseWith, type SessionId, sessionIdSchema } from '@sallyport/protocol'
import type { Context } from '../../context.ts'
import { CliError, EXIT } from '../../exit-codes.ts'
import { openPrompter, requirePrompter } from '../../terminal/prompt.ts'
import { showText } from '../../text/plain.ts'
import { formatAgo } from '../../text/quantities.ts'
import { formatTable } from '../../text/table.ts'
import { parseSshHost } from '../../text/targets.ts'
import type { ServerFlags } from '../relay.ts'
import { agentHandle } from './running.ts'

export interface ApproveOptions {
	readonly may?: string
	readonly yes?: boolean
}

/** `sally agent approve [digits]`: lets in the device that asks, if it shows these digits. */
export async function approve(
	context: Context,
	flags: ServerFlags,
	typed: string | undefined,
	options: ApproveOptions,
): Promise<number> {
	const { control } = await agentHandle(context, flags)
	const { request } = await control.ask({ op: 'pairing_request' })
	if (request === undefined) throw new CliError(EXIT.notFound, 'no device is asking to be let in', { code: 'not_found' })
	context.say(describeRequest(request))
	const digits = (typed ?? (await askDigits())).replace(/\D/g, '')
	if (!/^\d{6}$/.test(digits)) throw new CliError(EXIT.usage, 'the code has six digits')
	await confirmApproval(options.yes === true)
	const capabilities = capabilitiesOf(options.may)
	const answer = await control.ask({ op: 'approve', request_id: request.request_id, digits, ...capabilities })
	switch (answer.kind) {
		case 'approved':
			context.say('These four digits go back to the device that asked:')
			context.print(answer.returnCode)
			return EXIT.ok
		case 'wrong_code':
			throw new CliError(EXIT.refused, `these are not the digits of that device; ${answer.attemptsLeft} more try`, {
				code: 'wrong_code',
			})
		case 'burned':
			throw new CliError(
				EXIT.refused,
				'wrong again: the request is void. If the device really shows other digits, someone is in between',
				{
					code: 'burned',
				},
			)
		case 'not_found':
			throw new CliError(EXIT.notFound, 'the request has ended meanwhile: let the device ask again', { code: 'not_found' })
		default:
			return answer satisfies never
	}
}

/** `sally agent deny` */
export async function deny(context: Context, flags: ServerFlags): Promise<number> {
	const { control } = await agentHandle(context, flags)
	const { request } = await control.ask({ op: 'pairing_request' })
	if (request === undefined) throw new CliError(EXIT.notFound, 'no device is asking to be let in', { code: 'not_found' })
	await control.ask({ op: 'deny', request_id: request.request_id })
	context.say(`denied: ${showText(request.device_name)}`)
	return EXIT.ok
}

/** `sally agent pair`: lets devices ask on this machine's own address for some minutes, and shows who does. */
export async function pair(context: Context, flags: ServerFlags, minutes: number): Promise<number> {
	const { control } = await agentHandle(context, flags)
	const { untilMs } = await control.ask({ op: 'open_pair_window', minutes })
	const { endpoints } = await control.ask({ op: 'status' })
	const own = endpoints.filter((endpoint) => endpoint.kind !== 'relay')
	context.say(`devices may ask until ${new Date(untilMs).toLocaleTimeString()}; Ctrl+C closes the window. There, type:`)
	for (const { url } of own) context.say(`  sally pair --direct ${new URL(url).host}`)
	if (own.every((endpoint) => endpoint.kind === 'loopback')) {
		context.say('  (from this machine, or through a tunnel to it: for a LAN or VPN start the agent with HOST set to its address)')
	}
	const abort = new AbortController()
	process.once('SIGINT', () => abort.abort())
	let shown: string | undefined
	while (!abort.signal.aborted && Date.now() < untilMs) {
		const { request } = await control.ask({ op: 'pairing_request' })
		if (request !== undefined && request.request_id !== shown) {
			context.say(`${describeRequest(request)}\nIf that is you, type here what it shows: sally agent approve CODE`)
		}
		shown = request?.request_id
		await pause(500, abort.signal)
	}
	await control.ask({ op: 'open_pair_window', minutes: 0 })
	return EXIT.ok
}

/** `sally agent invite`: a one-use link that lets its opener in. */
export async function invite(
	context: Context,
	flags: ServerFlags,
	options: { readonly minutes?: number; readonly may?: string },
): Promise<number> {
	const { control } = await agentHandle(context, flags)
	const made = await control.ask({
		op: 'invite',
		...(options.minutes === undefined ? {} : { minutes: options.minutes }),
		...capabilitiesOf(options.may),
	})
	if (context.options.json) context.printJson({ url: made.url, text: made.text, expires_at: made.expiresAtMs })
	else {
		context.say(`Works once, until ${new Date(made.expiresAtMs).toLocaleTimeString()}; whoever opens it can enter this machine:`)
		context.print(made.url)
	}
	return EXIT.ok
}

/** `sally agent sessions` */
export async function sessions(context: Context, flags: ServerFlags): Promise<number> {
	const { control } = await agentHandle(context, flags)
	const list = (await control.ask({ op: 'sessions' })).sessions
	if (context.options.json) {
		context.printJson(list)
		return EXIT.ok
	}
	const nowMs = Date.now()
	const rows = list.map((session) => [
		session.session_id,
		showText(session.device_name, 40),
		showText(session.user, 40),
		session.capabilities.join(','),
		session.paired_by,
		session.connected ? 'connected' : formatAgo(session.last_seen_at, nowMs),
	])
	context.print(formatTable(['SESSION', 'DEVICE', 'USER', 'MAY', 'PAIRED BY', 'SEEN'], rows))
	return EXIT.ok
}

/** `sally agent revoke SESSION`, `--all` */
export async function revoke(context: Context, flags: ServerFlags, session: string | undefined, isAll: boolean): Promise<number> {
	const target: SessionId | 'all' = isAll ? 'all' : sessionIdOf(session)
	const { control } = await agentHandle(context, flags)
	const { revoked } = await control.ask({ op: 'revoke', session_id: target })
	if (revoked === 0 && !isAll) throw new CliError(EXIT.notFound, 'there is no such device session', { code: 'not_found' })
	context.say(`revoked: ${revoked}; those devices can no longer enter, and what they had open is closed`)
	return EXIT.ok
}

/** `sally agent lift`: lifts what the relay asked this machine to bar. */
export async function lift(context: Context, flags: ServerFlags): Promise<number> {
	const { control } = await agentHandle(context, flags)
	await control.ask({ op: 'lift' })
	context.say('users and devices that the relay had barred here may enter again')
	return EXIT.ok
}

/** `sally agent forget-host HOST[:PORT]`: the next SSH login there pins whatever key it meets. */
export async function forgetHost(context: Context, flags: ServerFlags, text: string): Promise<number> {
	const target = parseSshHost(text)
	const { control } = await agentHandle(context, flags)
	const { found } = await control.ask({ op: 'forget_host', ...target })
	const place = `${showText(target.host)} port ${target.port}`
	if (!found) throw new CliError(EXIT.notFound, `this machine knows no key of ${place}`, { code: 'not_found' })
	context.say(`the key of ${place} is forgotten; the next login there shows the new one, and pins it`)
	return EXIT.ok
}

function sessionIdOf(text: string | undefined): SessionId {
	const id = parseWith(sessionIdSchema, text)
	if (id.ok) return id.value
	throw new CliError(EXIT.usage, 'which device? name its session (see sally agent sessions), or --all')
}

function capabilitiesOf(text: string | undefined): { readonly capabilities?: Capability[] } {
	if (text === undefined) return {}
	const capabilities = parseCapabilities(text)
	if (capabilities === undefined)
		throw new CliError(EXIT.usage, '--may takes a list of shell, exec, files, forward, record, approve')
	return { capabilities: [...capabilities] }
}

function describeRequest(request: PairingRequest): string {
	const kind = request.device_kind === 'browser' ? 'a browser' : 'a command line'
	return `${showText(request.device_name)} (${kind}, key ${showText(request.fingerprint)}) of ${showText(request.user)} asks to be let in, from ${showText(request.address)}`
}

async function askDigits(): Promise<string> {
	const prompter = requirePrompter('give the six digits: sally agent approve 123456')
	return prompter.text('The six digits that the device shows: ').finally(() => prompter.close())
}

async function confirmApproval(isSure: boolean): Promise<void> {
	const prompter = isSure ? undefined : openPrompter()
	if (prompter === undefined) return
	const isTaken = await prompter.confirm('Let it in?').finally(() => prompter.close())
	if (!isTaken) throw new CliError(EXIT.failed, 'not let in; the request stays open (sally agent deny ends it)')
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		const finish = (): void => {
			clearTimeout(timer)
			resolve()
		}
		const timer = setTimeout(finish, ms)
		signal.addEventListener('abort', finish, { once: true })
	})
}
