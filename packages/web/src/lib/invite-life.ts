import { formatCountdown } from './format.ts'

/** The invite of a first run lives as long as Sallyport runs there; its bundle says so by a date that is far off. */
const PROCESS_LIFE_FROM_MS = 30 * 86_400_000

export function inviteLife(expires: number, nowMs: number): string {
	if (expires <= nowMs) return 'Invite has expired'
	if (expires - nowMs > PROCESS_LIFE_FROM_MS) return 'Invite works once, until Sallyport is stopped there'
	return `Invite works once, for another ${formatCountdown(expires, nowMs)}`
}
