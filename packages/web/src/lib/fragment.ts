import type { InviteBundle } from '@sallyport/protocol'
import { parseInvite } from '@sallyport/protocol'

/** What a one-use link carried in its fragment. `problem`: it was such a link, but not a whole one. */
export interface LinkFragment {
	readonly setupSecret?: string
	readonly invite?: InviteBundle
	readonly problem?: string
}

const MAX_FRAGMENT_CHARS = 8192

/** Tells one-use fragments (`#setup=…&invite=…`) from the app's own routes (`#/…`), and takes them apart. */
export function parseFragment(hash: string): LinkFragment {
	const text = hash.replace(/^#/, '')
	if (text === '' || text.startsWith('/') || text.length > MAX_FRAGMENT_CHARS) return {}
	const fields = new URLSearchParams(text)
	const setup = fields.get('setup')
	const inviteText = fields.get('invite')
	if (setup === null && inviteText === null) return {}
	const invite = inviteText === null ? undefined : parseInvite(inviteText)
	return {
		...(setup !== null && setup !== '' ? { setupSecret: setup } : {}),
		...(invite?.ok ? { invite: invite.value } : {}),
		...(invite?.ok === false ? { problem: invite.error.detail } : {}),
	}
}

/** Reads the fragment once and wipes it from the address bar and the history entry before anything else runs. */
export function takeFragment(location: Pick<Location, 'hash' | 'pathname' | 'search'>, history: Pick<History, 'replaceState'>) {
	const fragment = parseFragment(location.hash)
	const isOneUse = location.hash !== '' && !location.hash.startsWith('#/')
	if (isOneUse) history.replaceState(null, '', `${location.pathname}${location.search}#/`)
	return fragment
}

/** The address under which the relay serves this page, without a trailing slash. */
export function pageOrigin(baseUri: string): string {
	return new URL('.', baseUri.split('#')[0]).href.replace(/\/$/, '')
}
