import { expect, it } from 'vitest'
import { inviteLife } from './invite-life.ts'

const MINUTE = 60_000
const NOW = 1_800_000_000_000

it.each([
	[10 * MINUTE, 'Invite works once, for another 10:00'],
	[23 * 60 * MINUTE, 'Invite works once, for another 23 h'],
	[364 * 24 * 60 * MINUTE, 'Invite works once, until Sallyport is stopped there'],
	[0, 'Invite has expired'],
	[-MINUTE, 'Invite has expired'],
])('an invite with %d ms left reads: %s', (left, text) => expect(inviteLife(NOW + left, NOW)).toBe(text))
