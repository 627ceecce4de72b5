/**
 * The bucket of a client's address. One person holds a whole /64 of IPv6, and one IPv4 address has several spellings:
 * all of these are one bucket.
 */
export function addressKey(address: string): string {
	const bare = address
		.replace(/^\[(.*)\]$/, '$1')
		.replace(/%.*$/, '')
		.toLowerCase()
	if (!bare.includes(':')) return bare
	const groups = expandIpv6(bare)
	if (groups === undefined) return bare
	const [g0, g1, g2, g3, g4, g5, g6, g7] = groups
	const isMapped = [g0, g1, g2, g3, g4].every((group) => group === 0) && g5 === 0xffff
	if (isMapped && g6 !== undefined && g7 !== undefined) return [g6 >> 8, g6 & 0xff, g7 >> 8, g7 & 0xff].join('.')
	return `${groups
		.slice(0, 4)
		.map((group) => group.toString(16))
		.join(':')}::/64`
}

function expandIpv6(text: string): readonly number[] | undefined {
	const halves = withoutDottedTail(text).split('::')
	if (halves.length > 2) return undefined
	const [head = [], tail] = halves.map((half) => (half === '' ? [] : half.split(':')))
	const missing = 8 - head.length - (tail?.length ?? 0)
	if (tail === undefined ? missing !== 0 : missing < 1) return undefined
	const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...(tail ?? [])]
	if (!groups.every((group) => /^[0-9a-f]{1,4}$/.test(group))) return undefined
	return groups.map((group) => Number.parseInt(group, 16))
}

/** `::ffff:192.0.2.1` in groups of hexadecimal digits. */
function withoutDottedTail(text: string): string {
	const match = /^(.*:)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
	if (match === null) return text
	const [, head = '', ...octets] = match
	const [a = 0, b = 0, c = 0, d = 0] = octets.map(Number)
	return `${head}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}
