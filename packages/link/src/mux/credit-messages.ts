/**
 * `ack` and `window` in the one spelling that this code writes, read without a JSON parser: bulk needs thousands of
 * them a second. Any other spelling is as good and takes the general way.
 */
import type { ConnectionMessage } from '@sallyport/protocol'
import { utf8ToBytes } from '@sallyport/protocol'

const ACK = utf8ToBytes('{"op":"ack","received":')
const WINDOW = utf8ToBytes('{"op":"window","id":')
const MAX = utf8ToBytes(',"max":')
const CLOSE = utf8ToBytes('}')

export function encodeAck(received: number): Uint8Array {
	return utf8ToBytes(`{"op":"ack","received":${received}}`)
}

export function encodeWindow(id: number, max: number): Uint8Array {
	return utf8ToBytes(`{"op":"window","id":${id},"max":${max}}`)
}

type CreditMessage = Extract<ConnectionMessage, { readonly op: 'ack' | 'window' }>

export function readCreditMessage(json: Uint8Array): CreditMessage | undefined {
	if (startsWith(json, ACK, 0)) {
		const received = readNumber(json, ACK.length)
		return received !== undefined && isLast(json, received.end) ? { op: 'ack', received: received.value } : undefined
	}
	if (!startsWith(json, WINDOW, 0)) return undefined
	const id = readNumber(json, WINDOW.length)
	if (id === undefined || id.value >= 2 ** 32 || !startsWith(json, MAX, id.end)) return undefined
	const max = readNumber(json, id.end + MAX.length)
	return max !== undefined && isLast(json, max.end) ? { op: 'window', id: id.value, max: max.value } : undefined
}

function isLast(json: Uint8Array, offset: number): boolean {
	return startsWith(json, CLOSE, offset) && json.length === offset + CLOSE.length
}

function startsWith(json: Uint8Array, text: Uint8Array, offset: number): boolean {
	for (let index = 0; index < text.length; index++) if (json[offset + index] !== text[index]) return false
	return true
}

/** Digits without a leading zero, up to 2^53 - 1. */
function readNumber(json: Uint8Array, start: number): { readonly value: number; readonly end: number } | undefined {
	let value = 0
	let end = start
	for (; end < start + 16; end++) {
		const digit = (json[end] ?? 0) - 0x30
		if (digit < 0 || digit > 9) break
		value = value * 10 + digit
	}
	const hasLeadingZero = json[start] === 0x30 && end > start + 1
	if (end === start || hasLeadingZero || !Number.isSafeInteger(value)) return undefined
	return { value, end }
}
