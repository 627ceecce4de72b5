/** One word for a POSIX shell: whatever it holds, the shell takes it as this text and nothing else. */
export function shellQuote(word: string): string {
	if (/^[A-Za-z0-9_/.,:=@-]+$/.test(word)) return word
	return `'${word.replaceAll("'", `'\\''`)}'`
}

/** For a `ProxyCommand` in ssh_config or `-o`: shell words, with the percent signs that ssh would expand doubled. */
export function proxyCommand(words: readonly string[]): string {
	return words.map((word) => shellQuote(word).replaceAll('%', '%%')).join(' ')
}
