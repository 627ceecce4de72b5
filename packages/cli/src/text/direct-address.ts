import { CliError, EXIT } from '../exit-codes.ts'

const SCHEMES: Readonly<Record<string, string>> = { 'ws:': 'ws:', 'http:': 'ws:', 'wss:': 'wss:', 'https:': 'wss:' }

/**
 * The socket of a machine's own listener: `HOST:PORT`, `[v6]:PORT`, or with a scheme. Plain `ws://` is enough everywhere:
 * what passes is encrypted by keys that the handshake has proven.
 */
export function directUrl(text: string): string {
	const whole = /^[a-z]+:\/\//i.test(text) ? text : `ws://${text}`
	const url = URL.canParse(whole) ? new URL(whole) : undefined
	const scheme = url === undefined ? undefined : SCHEMES[url.protocol]
	const isPlain = url !== undefined && url.username === '' && url.password === '' && `${url.search}${url.hash}` === ''
	// A forgotten port would be 80 or 443, where an agent hardly ever is.
	const hasPort = /:\d+\/?$/.test(whole) || scheme === 'wss:'
	if (url === undefined || scheme === undefined || !isPlain || url.pathname !== '/' || !hasPort) {
		throw new CliError(EXIT.usage, `"${text}" is not the address of a machine: give HOST:PORT`)
	}
	return `${scheme}//${url.host}/api/web/ws`
}
