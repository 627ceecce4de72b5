import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createAddressReader } from './client-address.ts'

function requestFrom(remoteAddress: string, headers: Record<string, string> = {}): IncomingMessage {
	const socket = new Socket()
	Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress })
	const request = new IncomingMessage(socket)
	Object.assign(request.headers, headers)
	return request
}

const forwarded = createAddressReader({ ipSource: 'XForwardedFor', trustedProxies: ['10.0.0.0/8', '2001:db8::1'] })
const standard = createAddressReader({ ipSource: 'Forwarded', trustedProxies: ['10.0.0.1'] })
const direct = createAddressReader({ ipSource: 'ConnectInfo', trustedProxies: ['10.0.0.0/8'] })

describe('the address of a client', () => {
	it.each<[string, (request: IncomingMessage) => string, string, Record<string, string>, string]>([
		['is the peer without proxies', direct, '10.0.0.1', { 'x-forwarded-for': '1.1.1.1' }, '10.0.0.1'],
		['is the peer when the header comes from an unlisted one', forwarded, '9.9.9.9', { 'x-forwarded-for': '1.1.1.1' }, '9.9.9.9'],
		['is what the listed proxy saw', forwarded, '10.0.0.1', { 'x-forwarded-for': '1.1.1.1' }, '1.1.1.1'],
		[
			'is not what the client itself wrote before it',
			forwarded,
			'10.0.0.1',
			{ 'x-forwarded-for': '6.6.6.6, 1.1.1.1' },
			'1.1.1.1',
		],
		[
			'goes on through a chain of listed proxies',
			forwarded,
			'10.0.0.1',
			{ 'x-forwarded-for': '6.6.6.6, 1.1.1.1, 10.9.9.9' },
			'1.1.1.1',
		],
		['stops at what is no address', forwarded, '10.0.0.1', { 'x-forwarded-for': '1.1.1.1, unknown' }, '10.0.0.1'],
		['is the proxy without a header', forwarded, '10.0.0.1', {}, '10.0.0.1'],
		['ignores the header of the other source', forwarded, '10.0.0.1', { forwarded: 'for=1.1.1.1' }, '10.0.0.1'],
		[
			'reads the standard header',
			standard,
			'10.0.0.1',
			{ forwarded: 'for=6.6.6.6, for="[2001:db8::7]:4711";proto=https' },
			'2001:db8::7',
		],
		[
			'takes the alias of IPv4 in IPv6 for IPv4',
			forwarded,
			'::ffff:10.0.0.1',
			{ 'x-forwarded-for': '::ffff:1.1.1.1' },
			'1.1.1.1',
		],
		['knows listed proxies of IPv6', forwarded, '2001:db8::1', { 'x-forwarded-for': '1.1.1.1:5555' }, '1.1.1.1'],
	])('%s', (_name, read, peer, headers, expected) => {
		expect(read(requestFrom(peer, headers))).toBe(expected)
	})

	it('is never x-real-ip', () => {
		expect(forwarded(requestFrom('10.0.0.1', { 'x-real-ip': '1.1.1.1' }))).toBe('10.0.0.1')
	})
})
