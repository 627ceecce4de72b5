/** Changes of bytes that find what parsers overlook: by bits, by lengths, by pieces of other inputs, and by words that matter. */
import type { SeededRandom } from '@sallyport/testkit'

const WORDS = [
	'{',
	'}',
	'[',
	']',
	'"',
	':',
	',',
	'\\u0000',
	'\\ud800',
	'"__proto__":{}',
	'"constructor":1',
	'null',
	'true',
	'-0',
	'1e309',
	'9007199254740993',
	'0x10',
	'\n',
	'\r\n\r\n',
	'\u0000',
	'\u001b[31m',
	'\u202e',
	'%00',
	'..',
	'=',
	'.',
	'/',
	'-',
	'"op":',
	'"version":',
	'"op":"hello"',
	'[[[[[[[[[',
].map((word) => Buffer.from(word)) // prettier-ignore
const NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]
const MAX_BYTES = 8 * 1024

/** One to six changes of one input; `others` are what pieces come from. */
export function mutate(input: Uint8Array, others: readonly Uint8Array[], random: SeededRandom): Uint8Array {
	let bytes = Uint8Array.from(input)
	for (let left = random.int(1, 6); left > 0; left--) bytes = change(bytes, others, random)
	return bytes.subarray(0, MAX_BYTES)
}

function change(bytes: Uint8Array, others: readonly Uint8Array[], random: SeededRandom): Uint8Array<ArrayBuffer> {
	const at = random.int(0, bytes.length)
	const until = Math.min(bytes.length, at + random.int(0, 16))
	switch (random.int(0, 8)) {
		case 0:
			return withByte(bytes, at, (bytes[at] ?? 0) ^ (1 << random.int(0, 7)))
		case 1:
			return withByte(bytes, at, random.int(0, 255))
		case 2:
			return join(bytes.subarray(0, at), bytes.subarray(until))
		case 3:
			return join(bytes.subarray(0, until), bytes.subarray(at))
		case 4:
			return join(bytes.subarray(0, at), random.pick([WORDS[0] ?? new Uint8Array(), ...WORDS]), bytes.subarray(at))
		case 5:
			return join(bytes.subarray(0, at), random.bytes(random.int(1, 12)), bytes.subarray(at))
		case 6:
			return join(bytes.subarray(0, at), uint32(random.pick([0, ...NUMBERS])), bytes.subarray(at + 4))
		case 7:
			return Uint8Array.from(bytes.subarray(0, at))
		default: {
			const other = others[random.int(0, others.length - 1)] ?? bytes
			return join(bytes.subarray(0, at), other.subarray(random.int(0, other.length)))
		}
	}
}

function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array<ArrayBuffer> {
	const copy = Uint8Array.from(bytes)
	if (at < copy.length) copy[at] = value
	return copy
}

function uint32(value: number): Uint8Array {
	return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
}

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
	return Uint8Array.from(Buffer.concat(parts))
}
