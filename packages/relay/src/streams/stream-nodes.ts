import type { ApiError, NodeEvent, StreamControl } from '@sallyport/protocol'
import type { ControlPlane, Principal } from '../control-plane.ts'
import type { Ledger, LedgerEntry } from '../edge/ledger.ts'
import type { Moment } from '../edge/node-info.ts'
import { nodeInfo } from '../edge/node-info.ts'
import type { Presence } from '../edge/presence.ts'
import type { NodeFeed } from './node-feed.ts'

const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

export interface StreamDeps {
	readonly control: ControlPlane
	readonly presence: Presence
	readonly feed: NodeFeed
	readonly ledger: Ledger
	readonly moment: () => Moment
	/** A comment goes out this often, so that proxies keep an idle stream open and readers know that it lives. */
	readonly keepAliveMs: number
}

interface Batch {
	readonly events: readonly NodeEvent[]
	readonly nextOffset: string
}

/**
 * Answers `GET /v1/streams/nodes?offset=…[&live=sse]` in the shape of Durable Streams. `offset=-1` begins with all that
 * the principal may see, `offset=now` with nothing, an offset of an earlier answer goes on from there. When an offset is
 * too old (the relay restarted, or nodes came or went meanwhile), the answer is again everything, begun by a `reset`
 * event. Without `live` the answer is one JSON array with `Stream-Next-Offset`.
 */
export async function streamNodes(deps: StreamDeps, principal: Principal, request: Request): Promise<Response> {
	const query = new URL(request.url).searchParams
	const [offset, live] = [query.get('offset') ?? '-1', query.get('live')]
	if (offset.length > 64 || !/^(-1|now|[0-9a-f]+_\d+)$/.test(offset))
		return badRequest('offset is not -1, now or one that this relay gave')
	if (live !== null && live !== 'sse') return badRequest('live must be sse, or absent for one answer')
	const start = offset === 'now' ? deps.feed.offset : offset
	if (live === 'sse') return sseResponse(deps, principal, { start, signal: request.signal })
	const batch = await batchSince(deps, principal, start)
	return Response.json(batch.events, {
		headers: { ...HEADERS, 'stream-next-offset': batch.nextOffset, 'stream-up-to-date': 'true' },
	})
}

/** The offset is taken before the nodes are read: what changes between is told twice rather than lost. */
async function batchSince(deps: StreamDeps, principal: Principal, offset: string): Promise<Batch> {
	const nextOffset = deps.feed.offset
	const missed = deps.feed.missedSince(offset)
	if (missed.kind === 'nothing') return { events: [], nextOffset }
	const visible = await deps.control.visibleNodes(principal)
	const moment = deps.moment()
	const events: NodeEvent[] = missed.kind === 'all' ? [{ type: 'reset' }] : []
	for (const { node, access } of visible) {
		if (missed.kind === 'nodes' && !missed.ids.has(node.id)) continue
		events.push({ type: 'node', node: nodeInfo(node, access, deps.presence.entry(node.id), moment) })
	}
	return { events, nextOffset }
}

interface SseStart {
	readonly start: string
	readonly signal: AbortSignal
}

function sseResponse(deps: StreamDeps, principal: Principal, options: SseStart): Response {
	const reader = new SseReader(deps, principal, options)
	if (!reader.isAdmitted) return tooMany()
	const body = new ReadableStream<Uint8Array>(
		{
			pull: async (controller) => {
				const chunk = await reader.next().catch((error: unknown) => {
					// Nobody calls `cancel` on a stream that failed.
					reader.close()
					throw error
				})
				if (chunk === undefined) controller.close()
				else controller.enqueue(chunk)
			},
			cancel: () => reader.close(),
		},
		// Nothing is read ahead: a slow reader finds the latest state when it comes back, not a queue.
		{ highWaterMark: 0 },
	)
	return new Response(body, { headers: { ...HEADERS, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' } })
}

/** One live stream: gives text when its consumer asks and something has changed; ends with its credential. */
class SseReader {
	readonly isAdmitted: boolean
	readonly #deps: StreamDeps
	readonly #principal: Principal
	readonly #entry: LedgerEntry
	readonly #stopListening: () => void
	readonly #encoder = new TextEncoder()
	#offset: string
	#hasChanged = true
	#isFirst = true
	#isClosed = false
	#wake: (() => void) | undefined

	constructor(deps: StreamDeps, principal: Principal, options: SseStart) {
		this.#deps = deps
		this.#principal = principal
		this.#offset = options.start
		this.#entry = { principal, isSocket: true, end: () => this.close() }
		this.isAdmitted = deps.ledger.add(this.#entry)
		this.#stopListening = deps.feed.onChange(() => {
			this.#hasChanged = true
			this.#wake?.()
		})
		options.signal.addEventListener('abort', () => this.close(), { once: true })
		if (!this.isAdmitted) this.close()
	}

	async next(): Promise<Uint8Array | undefined> {
		while (!this.#isClosed) {
			if (!this.#hasChanged) {
				if (await this.#waitForChange()) continue
				return this.#isClosed ? undefined : this.#encoder.encode(': keep-alive\n\n')
			}
			this.#hasChanged = false
			const text = await this.#changes()
			if (text !== '') return this.#isClosed ? undefined : this.#encoder.encode(text)
		}
		return undefined
	}

	close(): void {
		if (this.#isClosed) return
		this.#isClosed = true
		this.#deps.ledger.remove(this.#entry)
		this.#stopListening?.()
		this.#wake?.()
	}

	async #changes(): Promise<string> {
		const batch = await batchSince(this.#deps, this.#principal, this.#offset)
		this.#offset = batch.nextOffset
		// Changes of nodes that this principal can't see are not worth a word, but for the first answer.
		if (batch.events.length === 0 && !this.#isFirst) return ''
		this.#isFirst = false
		const control: StreamControl = { streamNextOffset: batch.nextOffset, upToDate: true }
		const data = batch.events.length === 0 ? '' : `event: data\ndata: ${JSON.stringify(batch.events)}\n\n`
		return `${data}event: control\ndata: ${JSON.stringify(control)}\n\n`
	}

	/** True for a change or the end, false when it is time to show that the stream lives. */
	#waitForChange(): Promise<boolean> {
		return new Promise((resolve) => {
			const timer = setTimeout(() => {
				this.#wake = undefined
				resolve(false)
			}, this.#deps.keepAliveMs)
			this.#wake = () => {
				clearTimeout(timer)
				this.#wake = undefined
				resolve(true)
			}
		})
	}
}

function badRequest(message: string): Response {
	return Response.json({ error: { code: 'bad_request', message } } satisfies ApiError, { status: 400, headers: HEADERS })
}

function tooMany(): Response {
	const error: ApiError = {
		error: {
			code: 'rate_limited',
			message: 'this account holds too many connections at once; close some',
			retry_after_ms: 10_000,
		},
	}
	return Response.json(error, { status: 429, headers: { ...HEADERS, 'retry-after': '10' } })
}
