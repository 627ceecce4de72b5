import type { AccessSessionsAnswer, CliLoginAnswer, PageTicketAnswer, SessionAnswer, UserInfo } from '@sallyport/protocol'
import type { Hono } from 'hono'
import * as v from 'valibot'
import type { Principal } from '../../control-plane.ts'
import { toUserInfo } from '../answers.ts'
import { readBody } from '../body.ts'
import { notFound, refusalToFailure } from '../failures.ts'
import { displayName, emailField, idParam, passwordField } from '../fields.ts'
import { bearer, clientFacts } from '../guards.ts'
import type { ApiDeps, ApiEnv } from '../ports.ts'
import { describeUserAgent } from '../user-agent.ts'

const cliLoginBody = v.object({ email: emailField, password: passwordField, device_name: displayName(128) })
const accountBody = v.object({ username: displayName(64) })
const PEOPLE = { kinds: ['web', 'cli'] } as const

/** Sessions of people and programs, and the account itself. */
export function addSessionRoutes(app: Hono<ApiEnv>, deps: ApiDeps): void {
	const { store, accounts, events } = deps

	app.post('/api/cli/login', async (context) => {
		const { email, password, device_name: deviceName } = await readBody(context, cliLoginBody)
		const login = await accounts.cliLogin({ email, password, deviceName }, clientFacts(deps, context))
		if (!login.ok) throw refusalToFailure(login)
		const { text, expiresAtMs, principal } = login.value
		return context.json({ token: text, expires_at: expiresAtMs, user: toUserInfo(principal.user) } satisfies CliLoginAnswer)
	})

	app.post('/api/session/page-ticket', bearer(deps, { kinds: ['web'] }), async (context) => {
		await readBody(context, v.object({}))
		const ticket = await accounts.mintPageTicket(context.get('principal'))
		if (!ticket.ok) throw refusalToFailure(ticket)
		return context.json({ page_ticket: ticket.value.text, expires_at: ticket.value.expiresAtMs } satisfies PageTicketAnswer)
	})

	app.get('/api/session', bearer(deps), (context) => {
		const { kind, user, scopes, expiresAtMs } = context.get('principal')
		return context.json({ kind, user: toUserInfo(user), scopes, expires_at: expiresAtMs } satisfies SessionAnswer)
	})

	app.delete('/api/session', bearer(deps), async (context) => {
		await endCredential(deps, context.get('principal'))
		await events.wake()
		return context.body(null, 204)
	})

	app.patch('/api/account', bearer(deps, PEOPLE), async (context) => {
		const { username } = await readBody(context, accountBody)
		const user = await store.users.rename(context.get('principal').user.id, username)
		if (user === undefined) throw notFound('account')
		return context.json(toUserInfo(user) satisfies UserInfo)
	})

	app.get('/api/access-sessions', bearer(deps, PEOPLE), async (context) => {
		const { user, credentialId } = context.get('principal')
		const [clis, signIns] = await Promise.all([store.accessSessions.list(user.id), store.signIns.list(user.id)])
		const browsers = signIns.map((row) => ({ ...row, deviceName: describeUserAgent(row.userAgent) }))
		const sessions = [...clis, ...browsers]
			.sort((left, right) => right.lastActiveAtMs - left.lastActiveAtMs)
			.map((row) => ({
				id: row.id,
				kind: row.kind,
				device_name: row.deviceName,
				address: row.address,
				created_at: row.createdAtMs,
				last_active_at: row.lastActiveAtMs,
				expires_at: row.expiresAtMs,
				current: row.id === credentialId,
			}))
		return context.json({ sessions } satisfies AccessSessionsAnswer)
	})

	app.delete('/api/access-sessions/:id', bearer(deps, PEOPLE), async (context) => {
		const userId = context.get('principal').user.id
		const id = idParam(context)
		if (id === undefined) throw notFound('session')
		const ended = (await store.accessSessions.revoke(userId, id)) || (await store.signIns.end(userId, id))
		if (!ended) throw notFound('session')
		await events.wake()
		return context.body(null, 204)
	})
}

async function endCredential({ store }: ApiDeps, principal: Principal): Promise<void> {
	const { kind, credentialId, user } = principal
	switch (kind) {
		case 'web':
			await store.signIns.end(user.id, credentialId)
			return
		case 'cli':
			await store.accessSessions.revoke(user.id, credentialId)
			return
		case 'pat':
			await store.tokens.revoke(user.id, 'pat', credentialId)
	}
}
