import { describe, expect, it } from 'vitest'
import { createOrigins } from './origins.ts'

describe('the origins of a relay behind a proxy in production', () => {
	const origins = createOrigins({
		publicUrl: 'https://relay.example/sally',
		allowedOrigins: ['https://other.example'],
		mode: 'production',
		port: 8080,
		isTls: false,
	})

	it('are its public one and, for what dials it on its own machine, loopback', () => {
		expect(origins.publicOrigin).toBe('https://relay.example')
		expect(origins.pathPrefix).toBe('/sally')
		expect(origins.own).toEqual(['https://relay.example', 'http://127.0.0.1:8080', 'http://localhost:8080', 'http://[::1]:8080'])
	})

	it('list hosts without regard to case and to the default port', () => {
		for (const host of ['relay.example', 'RELAY.example', 'relay.example:443', '127.0.0.1:8080', '[::1]:8080'])
			expect([host, origins.isListedHost(host)]).toEqual([host, true])
		for (const host of [undefined, '', 'relay.example:8080', 'evil.example', 'relay.example.', '127.0.0.1'])
			expect([host, origins.isListedHost(host)]).toEqual([host, false])
	})

	it('let pages of loopback names in while developing only', () => {
		expect(origins.isAllowedOrigin('http://localhost:8080')).toBe(false)
		expect(origins.isAllowedOrigin('https://relay.example')).toBe(true)
		expect(origins.isAllowedOrigin('https://other.example')).toBe(true)
		expect(origins.isAllowedOrigin('http://relay.example')).toBe(false)
	})

	it('say which of them an agent may have dialled under a host', () => {
		expect(origins.ownFor('relay.example:443')).toEqual(['https://relay.example', 'https://relay.example/sally'])
		expect(origins.ownFor('localhost:8080')).toEqual(['http://localhost:8080'])
		expect(origins.ownFor('evil.example')).toEqual([])
	})
})
