import type { AccessTokenAnswer, SetupAnswer, SetupRequest } from '@sallyport/protocol'
import type { Hono } from 'hono'
import * as v from 'valibot'
import { toUserInfo } from '../answers.ts'
import { readBody } from '../body.ts'
import { ApiFailure, refusalToFailure } from '../failures.ts'
import { checkNewPassword, displayName, emailField, passwordField } from '../fields.ts'
import { clientFacts, csrfHeader, ownOrigin } from '../guards.ts'
import type { ApiContext, ApiDeps, ApiEnv } from '../ports.ts'

const setupBody = v.object({
	setup_secret: v.pipe(v.string(), v.maxLength(256)),
	email: emailField,
	username: displayName(64),
	password: passwordField,
})
const signInBody = v.object({ email: emailField, password: passwordField })
const passwordBody = v.object({ currentPassword: passwordField, newPassword: passwordField })

/** Set-up, and the routes that set, use and clear the sign-in cookie: the only ones that know of it. */
export function addSignInRoutes(app: Hono<ApiEnv>, deps: ApiDeps): void {
	app.post('/api/setup', ownOrigin(deps, { required: false }), async (context) => {
		const body = await readBody(context, setupBody)
		const answer = await setUp(deps, context, body)
		const client = clientFacts(deps, context)
		const signedIn = await deps.accounts.signIn(body.email, body.password, client)
		if (signedIn.ok) setCookies(context, signedIn.value.setCookies)
		await deps.events.wake()
		return context.json(answer)
	})

	app.post('/api/auth/sign-in/email', ownOrigin(deps, { required: false }), async (context) => {
		const { email, password } = await readBody(context, signInBody)
		const signedIn = await deps.accounts.signIn(email, password, clientFacts(deps, context))
		if (!signedIn.ok) throw refusalToFailure(signedIn)
		setCookies(context, signedIn.value.setCookies)
		return context.json({ redirect: false, user: signedIn.value.user })
	})

	app.post('/api/auth/sign-out', ownOrigin(deps, { required: true }), async (context) => {
		setCookies(context, await deps.accounts.signOut(clientFacts(deps, context)))
		await deps.events.wake()
		return context.json({ success: true })
	})

	app.post('/api/auth/change-password', ownOrigin(deps, { required: true }), async (context) => {
		const { currentPassword, newPassword } = await readBody(context, passwordBody)
		const client = clientFacts(deps, context)
		const holder = await deps.accounts.holderOfCookie(client)
		if (!holder.ok) throw refusalToFailure(holder)
		checkNewPassword(newPassword)
		const { principal } = holder.value
		const changed = await deps.accounts.changePassword({ principal, currentPassword, newPassword }, client)
		if (!changed.ok) throw refusalToFailure(changed)
		setCookies(context, changed.value.setCookies)
		await deps.events.wake()
		return context.json({ token: null, user: changed.value.user })
	})

	app.post('/api/session/token', csrfHeader, ownOrigin(deps, { required: true }), async (context) => {
		await readBody(context, v.object({}))
		const client = clientFacts(deps, context)
		const holder = await deps.accounts.holderOfCookie(client)
		if (!holder.ok) throw refusalToFailure(holder)
		const { principal, setCookies: slide } = holder.value
		const minted = await deps.accounts.mintWebToken(principal, client)
		if (!minted.ok) throw refusalToFailure(minted)
		setCookies(context, slide)
		return context.json({
			access_token: minted.value.text,
			expires_at: minted.value.expiresAtMs,
			user: toUserInfo(principal.user),
		} satisfies AccessTokenAnswer)
	})
}

async function setUp(deps: ApiDeps, context: ApiContext, body: SetupRequest): Promise<SetupAnswer> {
	// A secret of 256 bits can't be guessed; this bounds the noise.
	const admitted = await deps.limits.hello(deps.clientAddress(context))
	if (!admitted.ok) throw refusalToFailure(admitted)
	checkNewPassword(body.password)
	const result = await deps.firstRun.complete(body)
	switch (result.kind) {
		case 'created':
			await admitted.value.giveBack()
			return { user: toUserInfo(result.user), ...(result.nodeId === undefined ? {} : { node_id: result.nodeId }) }
		case 'exists':
			throw new ApiFailure('setup_done', 'this relay has an owner already: sign in, or ask the owner for an account')
		case 'invalid':
		case 'stale':
			throw new ApiFailure(
				'setup_invalid',
				'this set-up link is not the one of the relay that runs now: use the link that the relay printed at its latest start',
			)
	}
}

function setCookies(context: ApiContext, cookies: readonly string[]): void {
	for (const cookie of cookies) context.header('set-cookie', cookie, { append: true })
}
