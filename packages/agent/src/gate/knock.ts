import type { KnockContext } from '@sallyport/carrier'

/** A knock through a relay, with the relay's id of the user: what a `suspend` names. */
export interface RelayKnock extends KnockContext {
	readonly via: 'relay'
	readonly userId: string
}

/** The relay's id for the user who knocks, if it came through one. */
export function userIdOf(context: KnockContext): string | undefined {
	return 'userId' in context && typeof context.userId === 'string' ? context.userId : undefined
}
