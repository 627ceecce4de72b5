import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { showText } from './plain.ts'
import { formatAgo, formatDuration } from './quantities.ts'
import { proxyCommand, shellQuote } from './shell-quote.ts'
import { formatTable } from './table.ts'
import { parseForward, parseSshHost, parseTarget } from './targets.ts'

describe('text from outside', () => {
	it('can not steer a terminal', () => {
		expect(showText('a\u001b[2Jb\nc\u202ed\u009b\u0007')).toBe('a\\u{1b}[2Jb\\u{a}c\\u{202e}d\\u{9b}\\u{7}')
		expect(showText('größe 日本')).toBe('größe 日本')
	})

	it('holds no control or direction character whatever comes in', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary' }), (text) => {
				expect(showText(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
			}),
		)
	})

	it('is cut to its length', () => {
		expect(showText('x'.repeat(300))).toHaveLength(200)
	})
})

describe('words for a shell', () => {
	it.each(['plain', "it's", '$(touch x)', '`id`', 'a b', '-oProxyCommand=x', '', '\n', '"', '\\', '*', '%h'])(
		'stay what they are: %j',
		(word) => {
			expect(execFileSync('sh', ['-c', `printf '%s' ${shellQuote(word)}`], { encoding: 'utf8' })).toBe(word)
		},
	)

	it('are doubled where ssh would expand them', () => {
		expect(proxyCommand(['/opt/100%/node', 'a b'])).toBe("'/opt/100%%/node' 'a b'")
	})
})

describe('targets', () => {
	it.each([
		[undefined, {}],
		['db:5432', { host: 'db', port: 5432 }],
		['[::1]:80', { host: '::1', port: 80 }],
		['8080', { port: 8080 }],
		[':22', { port: 22 }],
	])('%s', (text, expected) => expect(parseTarget(text)).toEqual(expected))

	it.each(['db', 'db:', 'db:0', 'db:70000', 'a:b:1', '[::1', '::1:80'])('refuses %s', (text) => {
		expect(() => parseTarget(text)).toThrow(expect.objectContaining({ status: 2 }))
	})

	it.each([
		['db.internal', 'db.internal', 22],
		['db.internal:2222', 'db.internal', 2222],
		['fd00::1', 'fd00::1', 22],
		['[fd00::1]', 'fd00::1', 22],
		['[fd00::1]:2222', 'fd00::1', 2222],
	])('name the SSH server %s', (text, host, port) => expect(parseSshHost(text)).toEqual({ host, port }))

	it.each(['', ':22', 'db:', 'db:0', 'db:70000', 'a b', '[fd00::1'])('refuse %j as an SSH server', (text) => {
		expect(() => parseSshHost(text)).toThrow(expect.objectContaining({ status: 2 }))
	})

	it.each([
		['8080', '127.0.0.1', 8080, { host: '127.0.0.1', port: 8080 }],
		['0.0.0.0:8080', '0.0.0.0', 8080, { host: '127.0.0.1', port: 8080 }],
		['*:8080', '0.0.0.0', 8080, { host: '127.0.0.1', port: 8080 }],
		['5433:db:5432', '127.0.0.1', 5433, { host: 'db', port: 5432 }],
		['0:db:5432', '127.0.0.1', 0, { host: 'db', port: 5432 }],
		['[::1]:5433:[fd00::1]:5432', '::1', 5433, { host: 'fd00::1', port: 5432 }],
	])('forwards %s', (text, bind, listenPort, target) => {
		expect(parseForward(text)).toEqual({ bind, listenPort, target })
	})

	it.each(['', 'x', '1:2:3:4:5', '70000', '1:h:x', '0'])('refuses to forward %j', (text) => {
		expect(() => parseForward(text)).toThrow(expect.objectContaining({ status: 2 }))
	})
})

describe('tables and times', () => {
	it('line up', () => {
		expect(
			formatTable(
				['A', 'B'],
				[
					['long', 'x'],
					['s', 'y'],
				],
			),
		).toBe('A     B\nlong  x\ns     y')
	})

	it('name the largest unit', () => {
		expect([0, 999, 61_000, 3 * 3_600_000, 50 * 3_600_000].map(formatDuration)).toEqual(['0 s', '0 s', '1 min', '3 h', '2 d'])
		expect(formatAgo(10_000, 5000)).toBe('0 s ago')
	})
})
