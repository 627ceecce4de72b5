import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ServerSentEvents } from './sse.ts'

const parse = (chunks: readonly string[]) => {
	const events = new ServerSentEvents()
	return chunks.flatMap((chunk) => events.push(chunk))
}

describe('server-sent events', () => {
	it.each([
		['one', 'event: data\ndata: [1]\n\n', [{ event: 'data', data: '[1]' }]],
		['unnamed', 'data: x\n\n', [{ event: 'message', data: 'x' }]],
		['several lines', 'data: a\ndata: b\n\n', [{ event: 'message', data: 'a\nb' }]],
		['comments and unknown fields', ': ping\nid: 7\nretry: 5\ndata:x\n\n', [{ event: 'message', data: 'x' }]],
		['an event without data', 'event: data\n\ndata: y\n\n', [{ event: 'message', data: 'y' }]],
		[
			'every kind of line end',
			'data: a\r\n\r\ndata: b\r\rdata: c\n\n',
			['a', 'b', 'c'].map((data) => ({ event: 'message', data })),
		],
		['an unfinished one', 'data: x\n', []],
	])('reads %s, in any chunking', (_name, text, expected) => {
		expect(parse([text])).toEqual(expected)
		expect(parse([...text])).toEqual(expected)
		for (let at = 0; at <= text.length; at++) expect(parse([text.slice(0, at), text.slice(at)])).toEqual(expected)
	})

	it('gives the same events however the text is cut', () => {
		const text = fc.string({ unit: fc.constantFrom('data: ', 'event: e', 'x', ':', '\n', '\r', '\r\n', ' ') })
		fc.assert(
			fc.property(fc.array(text), (chunks) => {
				expect(parse(chunks)).toEqual(parse([chunks.join('')]))
			}),
		)
	})

	it('refuses an event without end', () => {
		const events = new ServerSentEvents()
		const line = `data: ${'x'.repeat(1024 * 1024)}\n`
		expect(() => {
			for (let count = 0; count < 9; count++) events.push(line)
		}).toThrow(RangeError)
	})
})
