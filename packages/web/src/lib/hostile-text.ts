/** Names and titles that hosts choose are hostile text: shown, never obeyed. */

// Controls, line and paragraph separators, and marks that reorder or hide what stands beside them.
const UNSAFE = /[\p{Cc}\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF]/gu

/** One line of plain text, at most `maxChars` long. React escapes markup; this takes out what deceives the eye. */
export function plainLine(text: string, maxChars: number = 120): string {
	const line = text.replace(UNSAFE, ' ').replace(/\s+/g, ' ').trim()
	return line.length > maxChars ? `${line.slice(0, maxChars - 1)}…` : line
}

/** The address of a link in a terminal, if it is one that may be opened: http and https alone. */
export function safeLink(text: string): string | undefined {
	const url = URL.parse(text)
	return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') ? url.href : undefined
}
