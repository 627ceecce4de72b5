import type { Clock } from '@sallyport/carrier'
import { parseWith } from '@sallyport/protocol'
import type * as v from 'valibot'
import { ClientError, type ClientErrorCode } from '../errors.ts'
import { apiErrorSchema } from './answers.ts'

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface HttpDeps {
	/** Origin and path prefix, without a trailing slash. */
	readonly origin: string
	readonly fetch: Fetch
	readonly clock: Clock
}

export interface HttpRequest {
	readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
	readonly path: string
	readonly token?: string
	readonly body?: object
	readonly headers?: Readonly<Record<string, string>>
	readonly signal?: AbortSignal
	/** Until the whole answer is here. @default 15_000 */
	readonly timeoutMs?: number
	/** Answers above this are refused. @default 4 MiB */
	readonly maxBytes?: number
}

export interface Http {
	readonly origin: string
	/** Sends, and parses the JSON answer by the schema. Rejects with `ClientError`. */
	json<T>(request: HttpRequest, schema: v.GenericSchema<unknown, T>): Promise<T>
	/** Sends, and wants no answer but success. */
	done(request: HttpRequest): Promise<void>
	/** Sends, and gives the response with its body unread once its status is good. */
	open(request: HttpRequest): Promise<Response>
}

const TIMEOUT_MS = 15_000
const MAX_BYTES = 4 * 1024 * 1024
/** A read that failed on the way is tried again after these waits; writes never are, since they may have been done. */
const RETRY_WAITS_MS: readonly number[] = [200, 800]

export function createHttp(deps: HttpDeps): Http {
	const attempt = async (request: HttpRequest): Promise<Response> => {
		const response = await send(deps, request)
		if (!response.ok) throw await errorOf(response)
		return response
	}
	const read = async (request: HttpRequest): Promise<unknown> =>
		withDeadline(deps, request, async (signal) => readJson(await attempt({ ...request, signal }), request.maxBytes ?? MAX_BYTES))
	return {
		origin: deps.origin,
		async json(request, schema) {
			const value = await retrying(deps, request, () => read(request))
			const parsed = parseWith(schema, value)
			if (parsed.ok) return parsed.value
			throw new ClientError(
				'answer_invalid',
				`the relay's answer to ${request.method} ${pathOnly(request)} is not understood (${parsed.error.detail}): relay and client may be of different versions`,
			)
		},
		done: (request) =>
			withDeadline(deps, request, async (signal) => {
				const response = await attempt({ ...request, signal })
				await response.body?.cancel()
			}),
		open: attempt,
	}
}

async function send(deps: HttpDeps, request: HttpRequest): Promise<Response> {
	const headers: Record<string, string> = { accept: 'application/json', ...request.headers }
	if (request.token !== undefined) headers['authorization'] = `Bearer ${request.token}`
	if (request.body !== undefined) headers['content-type'] = 'application/json'
	try {
		return await deps.fetch(deps.origin + request.path, {
			method: request.method,
			headers,
			redirect: 'error',
			credentials: 'same-origin',
			cache: 'no-store',
			...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
			...(request.signal === undefined ? {} : { signal: request.signal }),
		})
	} catch (cause) {
		if (request.signal?.aborted === true) throw abortReason(request.signal)
		throw new ClientError('network', `the relay at ${deps.origin} can't be reached${networkCause(cause)}`, { retry: true, cause })
	}
}

/** Gives up after the request's time, or when its own signal says so. */
async function withDeadline<T>(deps: HttpDeps, request: HttpRequest, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
	const controller = new AbortController()
	const onAbort = (): void => controller.abort(request.signal?.reason)
	if (request.signal?.aborted === true) onAbort()
	request.signal?.addEventListener('abort', onAbort, { once: true })
	const cancelTimer = deps.clock.setTimer(request.timeoutMs ?? TIMEOUT_MS, () => {
		controller.abort(
			new ClientError('timed_out', `the relay at ${deps.origin} did not answer ${pathOnly(request)} in time`, { retry: true }),
		)
	})
	try {
		return await act(controller.signal)
	} catch (error) {
		throw controller.signal.aborted ? abortReason(controller.signal) : error
	} finally {
		cancelTimer()
		request.signal?.removeEventListener('abort', onAbort)
	}
}

async function retrying<T>(deps: HttpDeps, request: HttpRequest, act: () => Promise<T>): Promise<T> {
	for (const waitMs of request.method === 'GET' ? RETRY_WAITS_MS : []) {
		try {
			return await act()
		} catch (caught) {
			const error = ClientError.from(caught)
			if (error.code !== 'network') throw error
			await new Promise<void>((resolve) => deps.clock.setTimer(waitMs, resolve))
		}
	}
	return act()
}

async function readJson(response: Response, maxBytes: number): Promise<unknown> {
	const text = await readText(response, maxBytes)
	try {
		return JSON.parse(text)
	} catch (cause) {
		throw new ClientError(
			'answer_invalid',
			'the answer is not JSON: this address is not that of a Sallyport relay, or something in between answers for it',
			{ cause },
		)
	}
}

async function readText(response: Response, maxBytes: number): Promise<string> {
	const reader = response.body?.getReader()
	if (reader === undefined) return ''
	const decoder = new TextDecoder()
	let text = ''
	let total = 0
	for (;;) {
		const { done, value } = await reader.read()
		if (done) return text + decoder.decode()
		total += value.length
		if (total > maxBytes) {
			await reader.cancel()
			throw new ClientError('answer_invalid', `the relay's answer exceeds ${maxBytes} bytes`)
		}
		text += decoder.decode(value, { stream: true })
	}
}

async function errorOf(response: Response): Promise<ClientError> {
	const fallback = codeOfStatus(response.status)
	try {
		const parsed = parseWith(apiErrorSchema, JSON.parse(await readText(response, 64 * 1024)))
		if (parsed.ok) {
			const { code, message, retry_after_ms: retryAfterMs } = parsed.value.error
			return new ClientError(code, message, {
				retry: isPassing(response.status),
				...(retryAfterMs === undefined ? {} : { retryAfterMs }),
			})
		}
	} catch {
		// Not one of our errors: a proxy's page, or better-auth's own shape. The status says enough.
	}
	return new ClientError(fallback, `the relay answered with status ${response.status}`, { retry: isPassing(response.status) })
}

function codeOfStatus(status: number): ClientErrorCode {
	const known: Readonly<Record<number, ClientErrorCode>> = {
		400: 'bad_request',
		401: 'unauthenticated',
		403: 'forbidden',
		404: 'not_found',
		409: 'conflict',
		413: 'too_large',
		422: 'bad_request',
		429: 'rate_limited',
		502: 'unavailable',
		503: 'unavailable',
		504: 'unavailable',
	}
	return known[status] ?? 'internal'
}

function isPassing(status: number): boolean {
	return status === 429 || status === 502 || status === 503 || status === 504
}

function abortReason(signal: AbortSignal): Error {
	return signal.reason instanceof ClientError ? signal.reason : new ClientError('cancelled', 'given up', { cause: signal.reason })
}

/** The path without its query, for error texts. */
function pathOnly(request: HttpRequest): string {
	return request.path.split('?', 1)[0] ?? request.path
}

/** Node's fetch hides why it failed in `cause`; browsers don't tell. */
function networkCause(error: unknown): string {
	const cause = error instanceof Error ? error.cause : undefined
	if (!(cause instanceof Error)) return ': check that it runs and that the address is right'
	const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
	switch (code) {
		case 'ECONNREFUSED':
			return ': nothing listens there. Is it running?'
		case 'ENOTFOUND':
		case 'EAI_AGAIN':
			return ': its name is not known'
		case 'ECONNRESET':
			return ': it closed the connection'
		default:
			return `: ${cause.message}`
	}
}
