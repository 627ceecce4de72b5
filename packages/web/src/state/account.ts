import type { PageSession, SallyClient } from '@sallyport/client'
import type { InviteBundle, UserInfo } from '@sallyport/protocol'
import { createStore } from 'zustand/vanilla'
import type { LinkFragment } from '../lib/fragment.ts'
import type { Problem } from '../lib/problem.ts'
import { toProblem } from '../lib/problem.ts'

/** Where the page stands with the relay. */
export type AccountPhase =
	| { readonly kind: 'starting' }
	| { readonly kind: 'unreachable'; readonly problem: Problem }
	/** The relay has no owner yet, and this page came without (or with a used-up) set-up link. */
	| { readonly kind: 'awaiting_owner' }
	| { readonly kind: 'setup'; readonly secret: string }
	| { readonly kind: 'signed_out' }
	/** `isExpired`: sign in again to go on; what is open stays open. */
	| { readonly kind: 'signed_in'; readonly user: UserInfo; readonly isExpired: boolean }

export interface AccountState {
	readonly phase: AccountPhase
	/** An invite that came with the page's link and waits for its person's yes. */
	readonly invite: InviteBundle | undefined
	readonly inviteProblem: string | undefined
	/** Set-up has just made the owner: the invite is part of it. */
	readonly isFirstRun: boolean
	readonly relayVersion: string | undefined
}

export interface AccountDeps {
	readonly client: SallyClient
	readonly pageSession: PageSession
	readonly fragment: LinkFragment
}

/** Sign-in, set-up and sign-out, as the page sees them. */
export function createAccount({ client, pageSession, fragment }: AccountDeps) {
	const store = createStore<AccountState>(() => ({
		phase: { kind: 'starting' },
		invite: fragment.invite,
		inviteProblem: fragment.problem,
		isFirstRun: false,
		relayVersion: undefined,
	}))
	let isAsking = false
	const enter = (user: UserInfo) => store.setState({ phase: { kind: 'signed_in', user, isExpired: false } })

	return {
		store,
		async start(): Promise<void> {
			store.setState({ phase: { kind: 'starting' } })
			try {
				const info = await client.api.info()
				store.setState({ relayVersion: info.version })
				if (info.setup_needed) {
					const secret = fragment.setupSecret
					store.setState({ phase: secret === undefined ? { kind: 'awaiting_owner' } : { kind: 'setup', secret } })
					return
				}
				const resumed = await pageSession.resume()
				if (resumed === undefined) store.setState({ phase: { kind: 'signed_out' } })
				else enter(resumed.user)
			} catch (error) {
				store.setState({ phase: { kind: 'unreachable', problem: toProblem(error) } })
			}
		},
		async setUp(
			secret: string,
			person: { readonly email: string; readonly username: string; readonly password: string },
		): Promise<void> {
			const user = await pageSession.setUp({ setup_secret: secret, ...person })
			store.setState({ isFirstRun: true })
			enter(user)
		},
		async signIn(email: string, password: string): Promise<void> {
			enter(await pageSession.signIn(email, password))
		},
		async signOut(): Promise<void> {
			await client.api.signOut()
			store.setState({ phase: { kind: 'signed_out' }, isFirstRun: false })
		},
		rename(user: UserInfo) {
			enter(user)
		},
		/**
		 * Called for any refusal that says the sign-in is over. It is asked about once more: the refusal may belong to
		 * something that began before a new sign-in.
		 */
		async expire(): Promise<void> {
			const { phase } = store.getState()
			if (phase.kind !== 'signed_in' || phase.isExpired || isAsking) return
			isAsking = true
			try {
				if ((await pageSession.resume()) !== undefined) return
				const now = store.getState().phase
				if (now.kind === 'signed_in') store.setState({ phase: { ...now, isExpired: true } })
			} catch {
				// The relay doesn't answer: that is another trouble, and told where it is met.
			} finally {
				isAsking = false
			}
		},
		/** The invite was used or put aside. */
		dropInvite() {
			store.setState({ invite: undefined, inviteProblem: undefined, isFirstRun: false })
		},
		/** A link followed while the page is open. */
		offerInvite({ invite, problem }: LinkFragment) {
			if (invite !== undefined || problem !== undefined) store.setState({ invite, inviteProblem: problem })
		},
	}
}
export type AccountModel = ReturnType<typeof createAccount>
