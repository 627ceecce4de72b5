/** What differs between systems in keys and mouse. */
export const isMac: boolean = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.userAgent)
export const isLinux: boolean = typeof navigator !== 'undefined' && /Linux|X11/.test(navigator.userAgent)

/** A shortcut as this system writes it. */
export function keyLabel(keys: string): string {
	if (!isMac) return keys
	return keys.replace('Ctrl+Shift+', '⇧⌘').replace('Ctrl+', '⌘').replace('Alt+', '⌥')
}
