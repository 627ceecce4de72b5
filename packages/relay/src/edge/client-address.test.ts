import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createAddressReader } from './client-address.ts'

function requestFrom(remoteAddress: string, headers: Readonly<Record<string, string | undefined>> = {}): IncomingMessage {
	const socket = new Socket()
	Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress })
	const request = new IncomingMessage(socket)
	Object.assign(request.headers, headers)
	return request
}

const forwarded = createAddressReader({ ipSource: 'XForwardedFor', trustedProxies: ['10.0.0.0/8', '2001:db8::1'] })
const standard = createAddressReader({ ipSource: 'Forwarded', trustedProxies: ['10.0.0.1'] })
const direct = createAddressReader({ ipSource: 'ConnectInfo', trustedProxies: ['10.0.0.0/8'] })

const CASES = [
	{
		name: 'is the peer without proxies',
		read: direct,
		peer: '10.0.0.1',
		headers: { 'x-forwarded-for': '1.1.1.1' },
		address: '10.0.0.1',
	},
	{
		name: 'is the peer when the header comes from an unlisted one',
		read: forwarded,
		peer: '9.9.9.9',
		headers: { 'x-forwarded-for': '1.1.1.1' },
		address: '9.9.9.9',
	},
	{
		name: 'is what the listed proxy saw',
		read: forwarded,
		peer: '10.0.0.1',
		headers: { 'x-forwarded-for': '1.1.1.1' },
		address: '1.1.1.1',
	},
	{
		name: 'is not what the client itself wrote before it',
		read: forwarded,
		peer: '10.0.0.1',
		headers: { 'x-forwarded-for': '6.6.6.6, 1.1.1.1' },
		address: '1.1.1.1',
	},
	{
		name: 'goes on through a chain of listed proxies',
		read: forwarded,
		peer: '10.0.0.1',
		headers: { 'x-forwarded-for': '6.6.6.6, 1.1.1.1, 10.9.9.9' },
		address: '1.1.1.1',
	},
	{
		name: 'stops at what is no address',
		read: forwarded,
		peer: '10.0.0.1',
		headers: { 'x-forwarded-for': '1.1.1.1, unknown' },
		address: '10.0.0.1',
	},
	{ name: 'is the proxy without a header', read: forwarded, peer: '10.0.0.1', headers: {}, address: '10.0.0.1' },
	{
		name: 'ignores the header of the other source',
		read: forwarded,
		peer: '10.0.0.1',
		headers: { forwarded: 'for=1.1.1.1' },
		address: '10.0.0.1',
	},
	{
		name: 'reads the standard header',
		read: standard,
		peer: '10.0.0.1',
		headers: { forwarded: 'for=6.6.6.6, for="[2001:db8::7]:4711";proto=https' },
		address: '2001:db8::7',
	},
	{
		name: 'takes the alias of IPv4 in IPv6 for IPv4',
		read: forwarded,
		peer: '::ffff:10.0.0.1',
		headers: { 'x-forwarded-for': '::ffff:1.1.1.1' },
		address: '1.1.1.1',
	},
	{
		name: 'knows listed proxies of IPv6',
		read: forwarded,
		peer: '2001:db8::1',
		headers: { 'x-forwarded-for': '1.1.1.1:5555' },
		address: '1.1.1.1',
	},
]

describe('the address of a client', () => {
	it.each(CASES)('$name', ({ read, peer, headers, address }) => {
		expect(read(requestFrom(peer, headers))).toBe(address)
	})

	it('is never x-real-ip', () => {
		expect(forwarded(requestFrom('10.0.0.1', { 'x-real-ip': '1.1.1.1' }))).toBe('10.0.0.1')
	})
})
