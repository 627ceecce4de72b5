/** How pasted text becomes keystrokes. Pure. */

const BRACKET_START = '\x1b[200~'
const BRACKET_END = '\x1b[201~'

/**
 * Line ends become what the Enter key sends. Inside brackets no escape may stand, or a page could end the bracket early
 * and have the rest run as typed.
 */
export function textToKeys(text: string, bracketed: boolean): string {
	const keys = text.replace(/\r?\n/g, '\r')
	return bracketed ? `${BRACKET_START}${keys.replaceAll('\x1b', '')}${BRACKET_END}` : keys
}

/** Whether a shell without bracketed paste would run something before the person has seen it. */
export function needsPasteWarning(text: string, bracketed: boolean): boolean {
	return !bracketed && /[\r\n]/.test(text.replace(/\r?\n$/, ''))
}

export function countLines(text: string): number {
	return text.replace(/\r?\n$/, '').split(/\r\n|\r|\n/).length
}

/** The first lines of what would be pasted, for the warning. */
export function pastePreview(text: string, maxLines: number = 6): string {
	const lines = text.split(/\r\n|\r|\n/)
	const shown = lines.slice(0, maxLines).map((line) => (line.length > 120 ? `${line.slice(0, 119)}…` : line))
	return lines.length > maxLines ? `${shown.join('\n')}\n…` : shown.join('\n')
}
