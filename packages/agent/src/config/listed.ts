/** Items of a comma-separated setting, trimmed, without empty ones. */
export function parseListed(text: string | undefined): readonly string[] {
	return (text ?? '')
		.split(',')
		.map((item) => item.trim())
		.filter((item) => item !== '')
}
