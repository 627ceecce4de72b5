import { isIP } from 'node:net'

/**
 * Reads a relay's address: scheme, host, port and at most a path prefix, without a trailing slash. Undefined for what is
 * none. Plain http is taken for loopback, and elsewhere only when `allowPlainHttp` says so.
 */
export function parseRelayOrigin(
	text: string,
	options: { readonly allowPlainHttp: boolean },
): { readonly origin: string } | { readonly problem: string } {
	if (!URL.canParse(text))
		return { problem: `${JSON.stringify(text.slice(0, 200))} is not an address like https://relay.example` }
	const url = new URL(text)
	if (url.protocol !== 'https:' && url.protocol !== 'http:') return { problem: 'a relay has an address with https://' }
	if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
		return { problem: "a relay's address holds no user, query or fragment" }
	}
	if (url.protocol === 'http:' && !isLoopbackHost(url.hostname) && !options.allowPlainHttp) {
		return {
			problem: `${url.origin} is not encrypted: use https://, or set RELAY_PLAIN_HTTP=true when something else protects the way to it`,
		}
	}
	return { origin: `${url.origin}${url.pathname.replace(/\/+$/, '')}` }
}

/** The WebSocket address of a fixed path at a relay. */
export function socketUrl(origin: string, path: string): string {
	return `${origin.replace(/^http/, 'ws')}${path}`
}

export function isLoopbackHost(hostname: string): boolean {
	const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
	return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
