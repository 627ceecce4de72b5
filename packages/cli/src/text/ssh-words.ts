/** ssh's own options that take a value, as in `-p 22` or `-p22`. */
const WITH_VALUE = 'BbcDEeFIiJLlmOoPpQRSWw'

/**
 * The settings that a person's own ssh arguments name by `-o`, in lower case. Reads as ssh does: options until `--`; the
 * first word that is none begins the command, and what follows is the command's.
 */
export function sshSettingsIn(args: readonly string[]): ReadonlySet<string> {
	const found = new Set<string>()
	for (let index = 0; index < args.length; index++) {
		const word = args[index] ?? ''
		if (!/^-./.test(word) || word === '--') break
		const option = valueOption(word)
		if (option === undefined) continue
		const value = option.rest === '' ? args[++index] : option.rest
		const name = /^\s*"?([A-Za-z0-9]+)/.exec(option.letter === 'o' ? (value ?? '') : '')?.[1]
		if (name !== undefined) found.add(name.toLowerCase())
	}
	return found
}

/** In a bundle like `-vo` the first letter that takes a value has the rest of the word, or else the next word. */
function valueOption(word: string): { readonly letter: string; readonly rest: string } | undefined {
	for (let at = 1; at < word.length; at++) {
		const letter = word.charAt(at)
		if (WITH_VALUE.includes(letter)) return { letter, rest: word.slice(at + 1) }
	}
	return undefined
}
