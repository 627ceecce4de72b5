import { describe, expect, it } from 'vitest'
import { normalizeRelayUrl } from './relay-url.ts'

describe("a relay's address", () => {
	it.each([
		['relay.example', 'https://relay.example'],
		['https://relay.example/', 'https://relay.example'],
		['https://relay.example/sally/', 'https://relay.example/sally'],
		['https://relay.example:8443/#setup=secret', 'https://relay.example:8443'],
		['localhost:8080', 'http://localhost:8080'],
		['127.0.0.1:8080', 'http://127.0.0.1:8080'],
		['http://[::1]:8080', 'http://[::1]:8080'],
	])('%s is %s', (text, expected) => expect(normalizeRelayUrl(text, false)).toBe(expected))

	it.each([
		'http://relay.example',
		'ftp://relay.example',
		'https://user:pw@relay.example',
		'http://',
		'http://127.0.0.1.evil.example',
	])('refuses %s', (text) => expect(() => normalizeRelayUrl(text, false)).toThrow(expect.objectContaining({ status: 2 })))

	it('takes plain http when told to', () => {
		expect(normalizeRelayUrl('http://relay.example', true)).toBe('http://relay.example')
	})
})
