import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

export interface AddressOptions {
	readonly ipSource: 'ConnectInfo' | 'XForwardedFor' | 'Forwarded'
	readonly trustedProxies: readonly string[]
}

/**
 * Tells the address of whoever made a request. Forwarded headers count only when the peer itself is a listed proxy, and
 * are read from their end: each entry is believed as long as the one that wrote it is listed.
 */
export function createAddressReader(options: AddressOptions): (request: IncomingMessage) => string {
	const trusted = trustedList(options.trustedProxies)
	return (request) => {
		const peer = plainAddress(request.socket.remoteAddress ?? '')
		if (options.ipSource === 'ConnectInfo' || !isListed(trusted, peer)) return peer
		let address = peer
		for (const hop of forwardedChain(request, options.ipSource).reverse()) {
			if (!isListed(trusted, address)) break
			const next = plainAddress(hop)
			// What isn't an address ends the chain: the last proxy that is known stands for the client.
			if (isIP(next) === 0) break
			address = next
		}
		return address
	}
}

function trustedList(proxies: readonly string[]): BlockList {
	const list = new BlockList()
	for (const proxy of proxies) {
		const [address = '', prefix] = proxy.split('/')
		const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
		if (prefix === undefined) list.addAddress(address, family)
		else list.addSubnet(address, Number(prefix), family)
	}
	return list
}

function isListed(list: BlockList, address: string): boolean {
	const version = isIP(address)
	return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4')
}

/** As the proxies wrote it, farthest first. */
function forwardedChain(request: IncomingMessage, source: 'XForwardedFor' | 'Forwarded'): string[] {
	const name = source === 'XForwardedFor' ? 'x-forwarded-for' : 'forwarded'
	const header = request.headers[name]
	const text = (Array.isArray(header) ? header.join(',') : (header ?? '')).slice(0, 4096)
	const parts = text.split(',').map((part) => part.trim())
	if (source === 'XForwardedFor') return parts
	return parts.map((part) => /(?:^|;)\s*for="?([^";]+)"?/i.exec(part)?.[1] ?? '')
}

/** Without brackets, port, zone, and the IPv4-in-IPv6 alias. */
function plainAddress(text: string): string {
	let address = text.trim().toLowerCase()
	const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(address)
	if (bracketed?.[1] !== undefined) address = bracketed[1]
	else if (/^[\d.]+:\d+$/.test(address)) address = address.slice(0, address.lastIndexOf(':'))
	address = address.replace(/%.*$/, '')
	const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)
	return mapped?.[1] ?? address
}
