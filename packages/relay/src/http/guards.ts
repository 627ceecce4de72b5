/** Who may pass to a route. Bearer tokens count on all routes but those of the cookie, and the cookie on those alone. */
import type { Scope } from '@sallyport/protocol'
import { createMiddleware } from 'hono/factory'
import type { Principal } from '../control-plane.ts'
import type { ClientFacts } from '../identity/auth.ts'
import { CREDENTIAL_REFUSED } from '../identity/authenticate.ts'
import { ApiFailure, refusalToFailure } from './failures.ts'
import type { ApiContext, ApiDeps, ApiEnv } from './ports.ts'

const MAX_AUTHORIZATION_CHARS = 4096

export interface Policy {
	/** @default web, cli and pat */
	readonly kinds?: readonly Principal['kind'][]
	readonly scope?: Scope
}

/** Lets through who shows a good bearer token of a listed kind with the scope, and sets `principal`. */
export function bearer(deps: ApiDeps, policy: Policy = {}) {
	return createMiddleware<ApiEnv>(async (context, next) => {
		const token = bearerToken(context.req.header('authorization'))
		if (token === undefined)
			throw new ApiFailure(
				'unauthenticated',
				'this needs a token in the header Authorization: Bearer <token>; sign in to get one',
			)
		const decision = await deps.authenticator.authenticate(token)
		if (!decision.ok) {
			if (decision.api !== 'unauthenticated') throw refusalToFailure(decision)
			const counted = await deps.limits.badToken(deps.clientAddress(context))
			throw refusalToFailure(counted.ok ? CREDENTIAL_REFUSED : counted)
		}
		const principal = decision.value
		if (policy.kinds !== undefined && !policy.kinds.includes(principal.kind))
			throw new ApiFailure(
				'forbidden',
				`a token of kind ${principal.kind} can't do this: it needs ${policy.kinds.join(' or ')}, which signing in gives`,
			)
		if (policy.scope !== undefined && !principal.scopes.includes(policy.scope))
			throw new ApiFailure('forbidden', `this token lacks the scope ${policy.scope}: make one that has it, or sign in`)
		context.set('principal', principal)
		await next()
		return undefined
	})
}

/**
 * For the routes of the cookie: the request must come from a page of the relay itself. Browsers always send an Origin with
 * a POST, so a request without one is no page, and may pass where no cookie counts.
 */
export function ownOrigin(deps: ApiDeps, when: { readonly required: boolean }) {
	return createMiddleware<ApiEnv>(async (context, next) => {
		const origin = context.req.header('origin')
		if (origin === undefined ? when.required : !isOwnPage(deps, origin, context.req.url))
			throw new ApiFailure('forbidden', `this can be done only from a page of ${deps.origin}: open the relay there and try again`)
		await next()
	})
}

/** The public origin, or another name of this relay (such as localhost) talking to itself. */
function isOwnPage(deps: ApiDeps, origin: string, requestUrl: string): boolean {
	return origin === deps.origin || (deps.dialOrigins.includes(origin) && new URL(origin).host === new URL(requestUrl).host)
}

/** A header that no form and no image can send, and that another origin may not. */
export const csrfHeader = createMiddleware<ApiEnv>(async (context, next) => {
	if (context.req.header('x-sallyport-csrf') !== '1')
		throw new ApiFailure('forbidden', 'the header x-sallyport-csrf: 1 is missing; the page sends it by itself')
	await next()
})

export function clientFacts(deps: ApiDeps, context: ApiContext): ClientFacts {
	const cookie = context.req.header('cookie')
	return {
		address: deps.clientAddress(context),
		userAgent: (context.req.header('user-agent') ?? '').slice(0, 512),
		...(cookie === undefined ? {} : { cookie }),
	}
}

function bearerToken(header: string | undefined): string | undefined {
	if (header === undefined || header.length > MAX_AUTHORIZATION_CHARS) return undefined
	return /^Bearer ([^\s]+)$/i.exec(header)?.[1]
}
