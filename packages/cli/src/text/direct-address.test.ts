import { describe, expect, it } from 'vitest'
import { directUrl } from './direct-address.ts'

describe('the address of a machine', () => {
	it.each([
		['192.0.2.7:8081', 'ws://192.0.2.7:8081/api/web/ws'],
		['box.lan:8081', 'ws://box.lan:8081/api/web/ws'],
		['[fd00::1]:8081', 'ws://[fd00::1]:8081/api/web/ws'],
		['http://127.0.0.1:8081', 'ws://127.0.0.1:8081/api/web/ws'],
		['ws://127.0.0.1:8081/', 'ws://127.0.0.1:8081/api/web/ws'],
		['wss://box.example', 'wss://box.example/api/web/ws'],
		['https://box.example:8443', 'wss://box.example:8443/api/web/ws'],
	])('%s', (text, url) => expect(directUrl(text)).toBe(url))

	it.each([
		'',
		'box.lan',
		':8081',
		'box.lan:',
		'box.lan:99999',
		'ftp://box.lan:21',
		'a@box.lan:8081',
		'ws://box.lan:1/x',
		'box:1?x',
	])('is not %j', (text) => expect(() => directUrl(text)).toThrow(expect.objectContaining({ status: 2 })))
})
