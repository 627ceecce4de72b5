import { systemClock } from '@sallyport/carrier'
import { describe, expect, it } from 'vitest'
import { createHttp } from './http.ts'
import { createPageCredential } from './page-session.ts'

const ORIGIN = 'https://relay.example'
const USER = { id: 'user_0001', email: 'ada@example.com', username: 'ada', roles: ['owner'] }

/** A relay that answers `/api/session/token` when the test says so, and all else with success. */
function createScriptedRelay() {
	const asked: ((answer: Response) => void)[] = []
	const fetch = (url: string): Promise<Response> =>
		url === `${ORIGIN}/api/session/token`
			? new Promise((resolve) => asked.push(resolve))
			: Promise.resolve(new Response('{}', { headers: { 'content-type': 'application/json' } }))
	const page = createPageCredential(createHttp({ origin: ORIGIN, fetch, clock: systemClock }), systemClock)
	return {
		...page,
		askedCount: () => asked.length,
		grant: (index: number, token: string) =>
			asked[index]?.(Response.json({ access_token: token, expires_at: Date.now() + 600_000, user: USER })),
		refuse: (index: number) =>
			asked[index]?.(Response.json({ error: { code: 'unauthenticated', message: 'no session' } }, { status: 401 })),
	}
}

describe('the page’s session', () => {
	it('takes a right password though a renewal from before it is refused', async () => {
		const relay = createScriptedRelay()
		const early = relay.credential.token()
		const refused = expect(early).rejects.toMatchObject({ code: 'unauthenticated' })
		const signedIn = relay.session.signIn('ada@example.com', 'right')
		await expect.poll(relay.askedCount).toBe(2)
		relay.refuse(0)
		await refused
		relay.grant(1, 'new')
		expect(await signedIn).toMatchObject({ username: 'ada' })
		expect(await relay.credential.token()).toBe('new')
	})

	it('keeps the token of the new cookie when one of the old arrives later', async () => {
		const relay = createScriptedRelay()
		const early = relay.credential.token()
		const signedIn = relay.session.signIn('ada@example.com', 'right')
		await expect.poll(relay.askedCount).toBe(2)
		relay.grant(1, 'new')
		await signedIn
		relay.grant(0, 'old')
		await early
		expect(await relay.credential.token()).toBe('new')
	})

	it('holds no token after signing out, even one that was on its way', async () => {
		const relay = createScriptedRelay()
		const early = relay.credential.token()
		await relay.signOut()
		relay.grant(0, 'old')
		await early
		const next = relay.credential.token()
		await expect.poll(relay.askedCount).toBe(2)
		relay.grant(1, 'new')
		expect(await next).toBe('new')
	})

	it('asks once for callers that come together', async () => {
		const relay = createScriptedRelay()
		const both = Promise.all([relay.credential.token(), relay.credential.token()])
		relay.grant(0, 'one')
		expect([await both, relay.askedCount()]).toEqual([['one', 'one'], 1])
	})
})
