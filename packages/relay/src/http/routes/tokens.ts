import type { EnrolTokenAnswer, TokenCreated, TokensAnswer } from '@sallyport/protocol'
import { LIMITS, SCOPES } from '@sallyport/protocol'
import type { Hono } from 'hono'
import * as v from 'valibot'
import { newToken } from '../../identity/token-text.ts'
import { readBody } from '../body.ts'
import { notFound } from '../failures.ts'
import { displayName, idParam } from '../fields.ts'
import { bearer } from '../guards.ts'
import type { ApiDeps, ApiEnv } from '../ports.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const MAX_DAYS = 366
const tokenBody = v.object({
	name: displayName(128),
	scopes: v.pipe(v.array(v.picklist(SCOPES)), v.minLength(1), v.maxLength(SCOPES.length)),
	expires_in_days: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_DAYS)), 90),
})
const enrolTokenBody = v.object({ name: v.exactOptional(displayName(128)) })
/** Never a PAT: a token that could make tokens would outlive its own end. */
const PEOPLE = { kinds: ['web', 'cli'] } as const

/** Personal access tokens, and the one-use tokens that bring in a machine. */
export function addTokenRoutes(app: Hono<ApiEnv>, deps: ApiDeps): void {
	const { store, events } = deps

	app.get('/api/tokens', bearer(deps, PEOPLE), async (context) =>
		context.json({ tokens: await store.tokens.listPats(context.get('principal').user.id) } satisfies TokensAnswer),
	)

	app.post('/api/tokens', bearer(deps, PEOPLE), async (context) => {
		const body = await readBody(context, tokenBody)
		const { user, epoch } = context.get('principal')
		const token = newToken('pat')
		const info = await store.tokens.addPat({
			tokenId: token.id,
			tokenHash: token.hash,
			userId: user.id,
			epoch,
			name: body.name,
			scopes: SCOPES.filter((scope) => body.scopes.includes(scope)),
			ttlMs: body.expires_in_days * DAY_MS,
		})
		return context.json({ token: token.text, info } satisfies TokenCreated, 201)
	})

	app.delete('/api/tokens/:id', bearer(deps, PEOPLE), async (context) => {
		const id = idParam(context)
		if (id === undefined || !(await store.tokens.revoke(context.get('principal').user.id, 'pat', id))) throw notFound('token')
		await events.wake()
		return context.body(null, 204)
	})

	app.post('/api/enrol-tokens', bearer(deps, PEOPLE), async (context) => {
		const { name = 'new machine' } = await readBody(context, enrolTokenBody)
		const { user, epoch } = context.get('principal')
		const token = newToken('enrol')
		const expires_at = await store.tokens.addEnrol({
			tokenId: token.id,
			tokenHash: token.hash,
			userId: user.id,
			epoch,
			name,
			ttlMs: LIMITS.joinMs,
		})
		return context.json({ token: token.text, token_id: token.id, expires_at } satisfies EnrolTokenAnswer, 201)
	})

	app.delete('/api/enrol-tokens/:id', bearer(deps, PEOPLE), async (context) => {
		const id = idParam(context)
		if (id === undefined || !(await store.tokens.revoke(context.get('principal').user.id, 'enrol', id))) throw notFound('token')
		await events.wake()
		return context.body(null, 204)
	})
}
