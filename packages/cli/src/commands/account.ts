import { systemClock } from '@sallyport/carrier'
import { ClientError, createHttp, sessionSchema } from '@sallyport/client'
import { stopBackground } from '../background/stop.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-codes.ts'
import { showText } from '../text/plain.ts'

/** `sally logout`: ends the sign-in at the relay and forgets it here. Keys and pairings stay. */
export async function logout(context: Context): Promise<number> {
	const profile = await context.openProfile()
	const session = await profile.session.read().catch(() => undefined)
	await stopBackground(context.paths)
	await profile.session.remove()
	if (session === undefined) {
		context.say('was not signed in')
		return EXIT.ok
	}
	const http = createHttp({ origin: session.origin, fetch: (url, init) => fetch(url, init), clock: systemClock })
	try {
		// A PAT may stand in other places: it is forgotten here, and revoked in the page.
		if (session.token.startsWith('sly_cli_')) await http.done({ method: 'DELETE', path: '/api/session', token: session.token })
		context.say(`signed out of ${session.origin}`)
	} catch (caught) {
		const error = ClientError.from(caught)
		if (error.code === 'unauthenticated') context.say(`signed out of ${session.origin}`)
		else context.say(`forgotten here, but the relay was not told (${error.message}): end the session in the page`)
	}
	return EXIT.ok
}

/** `sally whoami` */
export async function whoami(context: Context): Promise<number> {
	const profile = await context.openProfile()
	const { origin, token } = await profile.session.require()
	const client = await profile.openClient()
	const http = createHttp({ origin, fetch: (url, init) => fetch(url, init), clock: systemClock })
	const session = await http.json({ method: 'GET', path: '/api/session', token }, sessionSchema)
	if (context.options.json) {
		context.printJson({ origin, ...session, device_id: client.deviceId, device_fingerprint: client.fingerprint })
		return EXIT.ok
	}
	context.print(`${showText(session.user.username)} <${showText(session.user.email)}> at ${origin}`)
	context.print(`signed in by ${session.kind} token until ${new Date(session.expires_at).toISOString()}`)
	context.print(`this device: ${client.fingerprint}, keys sealed by ${describeSealing(profile.files.sealing.source)}`)
	return EXIT.ok
}

function describeSealing(source: 'credential' | 'passphrase' | 'key_file'): string {
	switch (source) {
		case 'credential':
			return 'a systemd credential'
		case 'passphrase':
			return 'a passphrase'
		case 'key_file':
			return 'a key file beside them (this protects against copying one file, not the folder)'
		default:
			return source satisfies never
	}
}
