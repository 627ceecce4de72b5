import { describe, expect, it } from 'vitest'
import { formatAgo, formatBytes, formatCountdown, formatDuration, formatPercent, groupId, plural } from './format.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

describe('formatBytes', () => {
	it.each([
		[0, '0 B'],
		[1023, '1023 B'],
		[1024, '1.0 KiB'],
		[1536, '1.5 KiB'],
		[200 * 1024 * 1024, '200 MiB'],
		[-5, '0 B'],
	])('%d is %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))
})

describe('formatDuration', () => {
	it.each([
		[8_999, '8 s'],
		[12 * MINUTE, '12 min'],
		[3 * HOUR + 5 * MINUTE, '3 h 5 min'],
		[2 * HOUR, '2 h'],
		[76 * HOUR, '3 d 4 h'],
	])('%d ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text))
})

describe('formatAgo', () => {
	const now = 1_800_000_000_000
	it.each([
		[now - 5_000, 'just now'],
		[now + 5_000, 'just now'],
		[now - 50_000, '1 min ago'],
		[now - 3 * MINUTE, '3 min ago'],
		[now - 26 * HOUR, '1 d ago'],
	])('%d is %s', (then, text) => expect(formatAgo(then, now)).toBe(text))
})

describe('formatCountdown', () => {
	it.each([
		[581_000, '9:41'],
		[1, '0:01'],
		[-1, '0:00'],
		[24 * HOUR - MINUTE, '23 h 59 min'],
	])('%d ms left reads %s', (left, text) => expect(formatCountdown(1_000_000 + left, 1_000_000)).toBe(text))
})

it('shows a dash for a share of nothing', () => {
	expect(formatPercent(1, 0)).toBe('–')
	expect(formatPercent(1, 3)).toBe('33%')
})

it('counts in words', () => {
	expect([plural(1, 'machine'), plural(2, 'machine'), plural(0, 'entry', 'entries')]).toEqual([
		'1 machine',
		'2 machines',
		'0 entries',
	])
})

it('groups an id by four without a space at the end', () => {
	expect(groupId('abcdefgh')).toBe('abcd efgh')
	expect(groupId('abcdefghi')).toBe('abcd efgh i')
})
