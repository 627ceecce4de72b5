import { parseLinkMessage, utf8ToBytes } from '@sallyport/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeAck, encodeWindow, readCreditMessage } from './credit-messages.ts'

const uint = fc.oneof(fc.nat(), fc.maxSafeNat())

test('reads back what it writes, as the general parser does', () => {
	fc.assert(
		fc.property(uint, fc.integer({ min: 0, max: 2 ** 32 - 1 }), uint, (received, id, max) => {
			const ack = encodeAck(received)
			const window = encodeWindow(id, max)
			expect(readCreditMessage(ack)).toEqual({ op: 'ack', received })
			expect(readCreditMessage(window)).toEqual({ op: 'window', id, max })
			expect(parseLinkMessage(ack)).toEqual({ ok: true, value: { op: 'ack', received } })
			expect(parseLinkMessage(window)).toEqual({ ok: true, value: { op: 'window', id, max } })
		}),
	)
})

test('leaves every other text to the general parser', () => {
	const piece = fc.constantFrom(
		'{"op":"ack","received":',
		'{"op":"window","id":',
		',"max":',
		'}',
		'0',
		'7',
		'12',
		'-',
		'.5',
		' ',
		'e3',
		'99999999999999999',
	)
	fc.assert(
		fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
			const json = utf8ToBytes(pieces.join(''))
			const read = readCreditMessage(json)
			const parsed = parseLinkMessage(json)
			expect(read ?? parsed).toEqual(read === undefined ? parsed : parsed.ok && parsed.value)
		}),
		{ numRuns: 2000 },
	)
})

test.each([
	'{"op":"ack","received":}',
	'{"op":"ack","received":01}',
	'{"op":"ack","received":9007199254740992}',
	'{"op":"ack","received":1} ',
	'{"op":"ack","received":1',
	'{"op":"window","id":4294967296,"max":1}',
	'{"op":"window","id":,"max":1}',
	'{"op":"window","id":1,"min":1}',
	'{"op":"window","id":1,"max":x}',
	'{"op":"window","id":1,"max":1}}',
	'{"op":"pong","token":1}',
])('does not take %s', (text) => {
	expect(readCreditMessage(utf8ToBytes(text))).toBeUndefined()
})
