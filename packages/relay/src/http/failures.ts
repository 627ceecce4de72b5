/** How a request ends when it can't be served: one shape, whatever went wrong. */
import type { ApiError, ApiErrorCode } from '@sallyport/protocol'
import type { Context } from 'hono'
import { routePath } from 'hono/route'
import type { Refusal } from '../control-plane.ts'
import { DATABASE_AWAY } from '../identity/authenticate.ts'
import { PasswordsBusyError } from '../identity/passwords.ts'
import { isUnavailable } from '../store/errors.ts'
import type { ApiLog } from './ports.ts'

const STATUS = {
	bad_request: 400,
	unauthenticated: 401,
	token_invalid: 401,
	setup_invalid: 401,
	forbidden: 403,
	not_found: 404,
	conflict: 409,
	name_taken: 409,
	setup_done: 409,
	too_large: 413,
	rate_limited: 429,
	internal: 500,
	unavailable: 503,
} as const satisfies Record<ApiErrorCode, number>

/** Thrown by a handler to end the request with an `ApiError`. */
export class ApiFailure extends Error {
	readonly code: ApiErrorCode
	readonly retryAfterMs: number | undefined

	constructor(code: ApiErrorCode, message: string, retryAfterMs?: number) {
		super(message)
		this.name = 'ApiFailure'
		this.code = code
		this.retryAfterMs = retryAfterMs
	}
}

export function refusalToFailure(refusal: Refusal): ApiFailure {
	return new ApiFailure(refusal.api, refusal.reason, refusal.retryAfterMs)
}

export function notFound(what: string): ApiFailure {
	return new ApiFailure('not_found', `there is no such ${what}, or it is not yours`)
}

/** The answer to whatever a handler threw. What nobody foresaw is logged in full and told in general. */
export function answerFailure(context: Context, thrown: unknown, log: ApiLog): Response {
	const failure = toFailure(thrown)
	if (failure.code === 'internal' || failure.code === 'unavailable')
		log.error('request failed', { method: context.req.method, path: routePath(context), failure: thrown })
	const { code, message, retryAfterMs } = failure
	const body: ApiError = { error: { code, message, ...(retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs }) } }
	if (retryAfterMs !== undefined) context.header('retry-after', String(Math.ceil(retryAfterMs / 1000)))
	if (code === 'unauthenticated') context.header('www-authenticate', 'Bearer realm="sallyport"')
	return context.json(body, STATUS[code])
}

function toFailure(thrown: unknown): ApiFailure {
	if (thrown instanceof ApiFailure) return thrown
	if (thrown instanceof PasswordsBusyError)
		return new ApiFailure('rate_limited', 'many people are signing in just now: try again in a moment', thrown.retryAfterMs)
	if (isUnavailable(thrown)) return refusalToFailure(DATABASE_AWAY)
	return new ApiFailure('internal', "the relay failed to do this; the cause is in the relay's log. Trying again may help")
}
