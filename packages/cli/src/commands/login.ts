import { systemClock } from '@sallyport/carrier'
import { ClientError, cliLoginSchema, createHttp, type Http, relayInfoSchema, sessionSchema } from '@sallyport/client'
import { parseToken, type RelayInfo } from '@sallyport/protocol'
import { stopBackground } from '../background/stop.ts'
import type { Context } from '../context.ts'
import { CliError, EXIT } from '../exit-codes.ts'
import { deviceName } from '../profile/profile.ts'
import type { StoredSession } from '../profile/session.ts'
import { requirePrompter } from '../terminal/prompt.ts'
import { readStdin } from '../terminal/read-stdin.ts'
import { showText } from '../text/plain.ts'
import { normalizeRelayUrl } from './relay-url.ts'

export interface LoginOptions {
	readonly email?: string
	readonly tokenStdin?: boolean
	readonly passwordStdin?: boolean
	readonly allowHttp?: boolean
}

/** `sally login [url]` */
export async function login(context: Context, url: string | undefined, options: LoginOptions): Promise<number> {
	const profile = await context.openProfile()
	const known = await profile.session.read().catch(() => undefined)
	const target = url ?? known?.origin
	if (target === undefined) throw new CliError(EXIT.usage, 'which relay? run: sally login https://relay.example')
	const origin = normalizeRelayUrl(target, options.allowHttp === true)
	const http = createHttp({ origin, fetch: (address, init) => fetch(address, init), clock: systemClock })
	const info = await http.json({ method: 'GET', path: '/api/info' }, relayInfoSchema)
	if (info.setup_needed) {
		throw new CliError(
			EXIT.failed,
			'this relay has no owner yet: open the link that it printed at its start, and finish there first',
		)
	}
	const session = await signIn(context, http, info, options)
	await profile.session.write(session)
	await stopBackground(context.paths)
	if (context.options.json)
		context.printJson({ origin, username: session.username, email: session.email, expires_at: session.expiresAtMs })
	else context.say(`signed in to ${origin} as ${showText(session.username)}`)
	return EXIT.ok
}

async function signIn(context: Context, http: Http, info: RelayInfo, options: LoginOptions): Promise<StoredSession> {
	const given = options.tokenStdin === true ? (await readStdin(8192)).trim() : context.env['SALLY_TOKEN']
	if (given !== undefined && given !== '') return byToken(http, info, given)
	const { email, password } = await askCredentials(options)
	const body = { email, password, device_name: deviceName() }
	try {
		const answer = await http.json({ method: 'POST', path: '/api/cli/login', body }, cliLoginSchema)
		const { token, user, expires_at: expiresAtMs } = answer
		return { origin: http.origin, relayId: info.relay_id, token, email: user.email, username: user.username, expiresAtMs }
	} catch (caught) {
		const error = ClientError.from(caught)
		if (error.code !== 'unauthenticated') throw error
		throw new CliError(EXIT.notSignedIn, 'e-mail or password is wrong', { code: error.code, cause: error })
	}
}

async function askCredentials(options: LoginOptions): Promise<{ readonly email: string; readonly password: string }> {
	if (options.passwordStdin === true) {
		if (options.email === undefined) throw new CliError(EXIT.usage, '--password-stdin needs --email')
		return { email: options.email, password: (await readStdin(8192)).replace(/\r?\n$/, '') }
	}
	const prompter = requirePrompter('use --token-stdin with an access token, or --email with --password-stdin')
	try {
		const email = options.email ?? (await prompter.text('E-mail: '))
		return { email, password: await prompter.secret('Password: ') }
	} finally {
		prompter.close()
	}
}

async function byToken(http: Http, info: RelayInfo, text: string): Promise<StoredSession> {
	const token = parseToken(text)
	if (!token.ok) throw new CliError(EXIT.usage, `that is not an access token (${token.error.detail}): copy all of it`)
	if (token.value.kind !== 'pat' && token.value.kind !== 'cli') {
		throw new CliError(EXIT.usage, `a token of kind ${token.value.kind} is not for signing in: make an access token in the page`)
	}
	const { user, expires_at: expiresAtMs } = await http.json({ method: 'GET', path: '/api/session', token: text }, sessionSchema)
	return { origin: http.origin, relayId: info.relay_id, token: text, email: user.email, username: user.username, expiresAtMs }
}
