import { CliError, EXIT } from '../exit-codes.ts'

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\]|[a-z0-9-]+\.localhost)$/

/** A relay's address as people type it, as the client wants it: origin and path prefix, no slash at the end. */
export function normalizeRelayUrl(text: string, allowHttp: boolean): string {
	const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `${schemeFor(text)}://${text}`
	if (!URL.canParse(withScheme)) throw usage(`"${text.slice(0, 100)}" is not an address: write it as https://relay.example`)
	const url = new URL(withScheme)
	if (url.protocol !== 'https:' && url.protocol !== 'http:') throw usage('a relay has an https:// address')
	if (url.username !== '' || url.password !== '') throw usage('the address must not hold a user or password')
	if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname) && !allowHttp) {
		throw usage(
			`${url.origin} is not encrypted: whoever is on the way could read your password. Use https, or --allow-http if you know that the way is safe`,
		)
	}
	// What a browser shows after the page's address (a path of the app, a fragment with secrets) is not the relay's.
	return (url.origin + url.pathname).replace(/\/+$/, '')
}

function schemeFor(text: string): string {
	const host = text.split('/', 1)[0]?.replace(/:\d+$/, '') ?? ''
	return LOOPBACK.test(host) ? 'http' : 'https'
}

function usage(message: string): CliError {
	return new CliError(EXIT.usage, message)
}
