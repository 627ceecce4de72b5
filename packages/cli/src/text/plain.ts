/** Names and texts that came from machines and relays are hostile: nothing of them may steer a terminal. */

// Control characters (ESC, C1, line breaks), marks that turn the direction of text, and characters without a shape.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu

/** Text for one line on a terminal: what could steer it is shown as `\u{…}`. */
export function showText(text: string, maxChars = 200): string {
	const shown = text.replace(UNSAFE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)
	return shown.length > maxChars ? `${shown.slice(0, maxChars - 1)}…` : shown
}

/** As `showText`, but line breaks stay: for messages of our own that may quote others. */
export function showLines(text: string): string {
	return text
		.split('\n')
		.map((line) => showText(line, 2000))
		.join('\n')
}
