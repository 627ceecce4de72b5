import { isIPv6 } from 'node:net'
import { CliError, EXIT } from '../exit-codes.ts'

export interface Target {
	readonly host?: string
	readonly port?: number
}

/** `HOST:PORT`, `[v6]:PORT`, `:PORT` or `PORT`, as seen from the machine. Nothing: the machine's own sshd. */
export function parseTarget(text: string | undefined): Target {
	if (text === undefined) return {}
	const match = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d+)$/.exec(text) ?? (/^\d+$/.test(text) ? ['', '', '', text] : null)
	if (match === null) throw usage(`"${text}" is not HOST:PORT`)
	const host = match[1] || match[2]
	return { ...(host ? { host } : {}), port: parsePort(match[3] ?? '') }
}

/** `HOST`, `HOST:PORT`, `[v6]:PORT` or a bare IPv6 address, as an SSH server is named; port 22 unless said. */
export function parseSshHost(text: string): Required<Target> {
	const match = isIPv6(text) ? [text, text] : /^(?:\[([^\]]+)\]|([^:[\]\s]+))(?::(\d+))?$/.exec(text)
	const host = match?.[1] ?? match?.[2]
	if (host === undefined) throw usage(`"${text}" is not HOST or HOST:PORT`)
	return { host, port: match?.[3] === undefined ? 22 : parsePort(match[3]) }
}

export interface Forward {
	/** Where this computer listens. */
	readonly bind: string
	readonly listenPort: number
	readonly target: Target
}

/** `[BIND:]PORT[:HOST:PORT]`, as ssh's `-L`: without a target, the same port of the machine itself. */
export function parseForward(text: string): Forward {
	const parts = splitOutsideBrackets(text)
	const [first = '', second, third, fourth, ...rest] = parts
	if (rest.length > 0) throw usage(`"${text}" is not [BIND:]PORT[:HOST:PORT]`)
	if (second === undefined) return forward('127.0.0.1', first, undefined, first)
	if (third === undefined) return forward(first || '127.0.0.1', second, undefined, second)
	if (fourth === undefined) return forward('127.0.0.1', first, second, third)
	return forward(first || '127.0.0.1', second, third, fourth)
}

function forward(bind: string, listenPort: string, host: string | undefined, port: string): Forward {
	const listen = Number(listenPort)
	if (!/^\d{1,5}$/.test(listenPort) || listen > 65_535) throw usage(`"${listenPort}" is not a port`)
	return {
		bind: bind === '*' ? '0.0.0.0' : bind,
		listenPort: listen,
		target: { host: host || '127.0.0.1', port: parsePort(port) },
	}
}

/** Splits at colons, but not at those of an IPv6 address in brackets. */
function splitOutsideBrackets(text: string): readonly string[] {
	const parts = ['']
	let isInside = false
	for (const char of text) {
		if (char === '[' || char === ']') isInside = char === '['
		else if (char === ':' && !isInside) parts.push('')
		else parts[parts.length - 1] += char
	}
	return parts
}

function parsePort(text: string): number {
	const port = Number(text)
	if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) throw usage(`"${text}" is not a port`)
	return port
}

function usage(message: string): CliError {
	return new CliError(EXIT.usage, message)
}
