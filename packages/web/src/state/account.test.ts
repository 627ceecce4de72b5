import type { PageSession, SallyClient } from '@sallyport/client'
import type { UserId } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { createAccount } from './account.ts'

// Safe: a test's user id; only schemas of the protocol make them in the product.
const ada = { id: 'user_0001' as UserId, email: 'ada@example.com', username: 'ada', roles: ['owner'] as const }

function createModel(options: { readonly isSetUp: boolean; readonly secret?: string }) {
	const relay = { isSignedIn: true, isReachable: true }
	const pageSession: PageSession = {
		setUp: async () => ada,
		signIn: async () => {
			relay.isSignedIn = true
			return ada
		},
		changePassword: async () => {},
		async resume() {
			if (!relay.isReachable) throw Object.assign(new Error('no answer'), { code: 'network' })
			return relay.isSignedIn ? { access_token: '', expires_at: 0, user: ada } : undefined
		},
	}
	const api = {
		info: async () => {
			if (!relay.isReachable) throw Object.assign(new Error('no answer'), { code: 'network' })
			return { version: '0.1.0', setup_needed: !options.isSetUp }
		},
		signOut: async () => {
			relay.isSignedIn = false
		},
	}
	// Safe: these are all the calls that the account makes; each test would fail on another.
	const client = { api } as unknown as SallyClient
	const account = createAccount({
		client,
		pageSession,
		fragment: options.secret === undefined ? {} : { setupSecret: options.secret },
	})
	return { account, relay, phase: () => account.store.getState().phase }
}

describe('account', () => {
	it('offers set-up only to who has the link', async () => {
		const secret = crypto.randomUUID()
		const withLink = createModel({ isSetUp: false, secret })
		const without = createModel({ isSetUp: false })
		await Promise.all([withLink.account.start(), without.account.start()])
		expect([withLink.phase(), without.phase()]).toEqual([{ kind: 'setup', secret }, { kind: 'awaiting_owner' }])
	})

	it('ignores a set-up link once there is an owner', async () => {
		const { account, phase } = createModel({ isSetUp: true, secret: crypto.randomUUID() })
		await account.start()
		expect(phase()).toMatchObject({ kind: 'signed_in', user: ada })
	})

	it('says what is wrong when the relay does not answer, and starts when it does', async () => {
		const { account, relay, phase } = createModel({ isSetUp: true })
		relay.isReachable = false
		await account.start()
		expect(phase()).toMatchObject({ kind: 'unreachable', problem: { code: 'network' } })
		relay.isReachable = true
		await account.start()
		expect(phase().kind).toBe('signed_in')
	})

	it('asks to sign in again only when the sign-in is really over', async () => {
		const { account, relay, phase } = createModel({ isSetUp: true })
		await account.start()
		await account.expire()
		expect(phase()).toMatchObject({ isExpired: false })
		relay.isSignedIn = false
		await account.expire()
		expect(phase()).toMatchObject({ kind: 'signed_in', isExpired: true, user: ada })
		await account.signIn('ada@example.com', 'x')
		expect(phase()).toMatchObject({ isExpired: false })
	})

	it('does not call a sign-in over because the relay is away', async () => {
		const { account, relay, phase } = createModel({ isSetUp: true })
		await account.start()
		relay.isReachable = false
		await account.expire()
		expect(phase()).toMatchObject({ isExpired: false })
	})

	it('is signed out by sign-out', async () => {
		const { account, phase } = createModel({ isSetUp: true })
		await account.start()
		await account.signOut()
		expect(phase()).toEqual({ kind: 'signed_out' })
	})
})
