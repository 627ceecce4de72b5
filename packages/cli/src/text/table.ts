/** A table for people: columns as wide as their widest cell, two spaces between, nothing at line ends. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
	const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => [...(row[column] ?? '')].length)))
	const line = (cells: readonly string[]): string =>
		cells
			.map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - [...cell].length)))
			.join('  ')
			.trimEnd()
	return [line(head), ...rows.map(line)].join('\n')
}
