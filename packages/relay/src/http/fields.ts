/** The shapes of request bodies that more than one route takes. */
import * as v from 'valibot'
import { passwordProblem } from '../identity/passwords.ts'
import { ApiFailure } from './failures.ts'
import type { ApiContext } from './ports.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

/** A name for people to read, in one line. Still hostile text wherever it is shown. */
export const displayName = (maxLength: number) =>
	v.pipe(
		v.string(),
		v.trim(),
		v.minLength(1, 'is empty'),
		v.maxLength(maxLength, `is longer than ${maxLength} characters`),
		v.check((text) => !CONTROL_CHARACTERS.test(text), 'has control characters'),
	)

/** What a machine says of itself: may be empty, never more than a line. */
export const reportedText = v.pipe(
	v.string(),
	v.maxLength(256),
	v.check((text) => !CONTROL_CHARACTERS.test(text), 'has control characters'),
)

/** In lower case, as accounts are kept. */
export const emailField = v.pipe(v.string(), v.trim(), v.toLowerCase(), v.maxLength(254), v.email('is not an e-mail address'))

/** A password of any length, so that its rule can be explained; the body's own limit bounds it. */
export const passwordField = v.string()

/** The `:id` of a route, or undefined when it can be the id of nothing. Keeps NUL, which PostgreSQL refuses, from queries. */
export function idParam(context: ApiContext): string | undefined {
	const id = context.req.param('id')
	return id !== undefined && /^[A-Za-z0-9_-]{1,64}$/.test(id) ? id : undefined
}

export function checkNewPassword(password: string): void {
	const problem = passwordProblem(password)
	if (problem !== undefined) throw new ApiFailure('bad_request', problem)
}
