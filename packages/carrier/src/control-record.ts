import type { ConnectionMessage, ParsedLinkMessage, Result } from '@sallyport/protocol'
import { decodeFrames, encodeControlFrame, encodeMessage, fault, parseLinkMessage, utf8ToBytes } from '@sallyport/protocol'

/** The plaintext of a record that holds one connection message: those before a link is up travel alone. */
export function connectionRecord(message: ConnectionMessage): Uint8Array {
	return encodeControlFrame(utf8ToBytes(encodeMessage(message)))
}

/** Reads a record that must hold one message, as those do that come before a link is up. Padding is allowed. */
export function parseSoleMessage(plaintext: Uint8Array): Result<ParsedLinkMessage> {
	const frames = decodeFrames(plaintext)
	if (!frames.ok) return frames
	const [first, second, ...rest] = frames.value
	if (first?.kind !== 'control' || rest.length > 0 || (second !== undefined && second.kind !== 'padding')) {
		return fault('FRAME_INVALID', 'record before the link is up holds more than one message')
	}
	return parseLinkMessage(first.json)
}
