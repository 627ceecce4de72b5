/** A program's wish to use the clipboard (OSC 52). Reading is never granted: an answer would be typed into the shell. */
export type ClipboardWish =
	| { readonly kind: 'write'; readonly text: string }
	| { readonly kind: 'read' }
	| { readonly kind: 'invalid' }

const MAX_BASE64_CHARS = 1_400_000

export function parseOsc52(payload: string): ClipboardWish {
	const semicolon = payload.indexOf(';')
	if (semicolon < 0 || !/^[cpqs0-7]*$/.test(payload.slice(0, semicolon))) return { kind: 'invalid' }
	const data = payload.slice(semicolon + 1)
	if (data === '?') return { kind: 'read' }
	if (data.length > MAX_BASE64_CHARS) return { kind: 'invalid' }
	try {
		const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0))
		return { kind: 'write', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
	} catch {
		// Not base64, or not text.
		return { kind: 'invalid' }
	}
}
