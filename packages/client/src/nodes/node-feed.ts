import type { Clock } from '@sallyport/carrier'
import { type NodeEvent, type NodeId, type NodeInfo, parseJson, parseWith } from '@sallyport/protocol'
import type * as v from 'valibot'
import { Backoff, pause } from '../backoff.ts'
import { ClientError } from '../errors.ts'
import { nodeEventsSchema, streamControlSchema } from '../http/answers.ts'
import type { Credential } from '../http/credential.ts'
import type { Http } from '../http/http.ts'
import { authorized } from '../http/relay-api.ts'
import type { NodeWatch, RelayApi } from '../sally-client.ts'
import { ServerSentEvents } from './sse.ts'

export interface NodeFeedDeps {
	readonly http: Http
	readonly api: Pick<RelayApi, 'nodes'>
	readonly credential: Credential
	readonly clock: Clock
	readonly random: () => number
	/** Calls back when the host woke up or came online: waiting any longer makes no sense then. Returns the unsubscribe. */
	readonly onWake?: (listener: () => void) => () => void
}

/** The relay says something at least this often, be it a comment; silence beyond it is a dead connection. */
const SILENCE_MS = 75_000
const MAX_EVENT_BYTES = 4 * 1024 * 1024

/** The live list of machines: one stream for all who watch, from the first watcher to the last. */
export class NodeFeed {
	readonly #deps: NodeFeedDeps
	readonly #watches = new Set<NodeWatch>()
	readonly #nodes = new Map<NodeId, NodeInfo>()
	#isLive = false
	#running: AbortController | undefined

	constructor(deps: NodeFeedDeps) {
		this.#deps = deps
	}

	/** Tells what is known at once, then every change. Returns the stop. */
	watch(watch: NodeWatch): () => void {
		this.#watches.add(watch)
		for (const node of this.#nodes.values()) watch({ type: 'node', node })
		if (this.#isLive) watch({ type: 'live' })
		if (this.#running === undefined) {
			this.#running = new AbortController()
			void this.#run(this.#running.signal)
		}
		return () => {
			if (this.#watches.delete(watch) && this.#watches.size === 0) this.#stop()
		}
	}

	close(): void {
		this.#watches.clear()
		this.#stop()
	}

	#stop(): void {
		this.#running?.abort()
		this.#running = undefined
		this.#isLive = false
		this.#nodes.clear()
	}

	async #run(signal: AbortSignal): Promise<void> {
		const backoff = new Backoff({ firstMs: 500, maxMs: 20_000, random: this.#deps.random })
		let offset: string | undefined
		while (!signal.aborted) {
			try {
				offset ??= await this.#loadList()
				if (signal.aborted) return
				let hasMoved = false
				await this.#follow(offset, signal, (next) => {
					offset = next
					hasMoved = true
					backoff.reset()
				})
				// An answer that ends at once without a word must not be asked for again at once.
				if (!hasMoved) await this.#pauseOrWake(backoff.next(), signal)
			} catch (caught) {
				if (signal.aborted) return
				const error = ClientError.from(caught)
				// The relay no longer has what follows this offset: start from the whole list.
				if (error.code === 'not_found' || error.code === 'bad_request' || error.code === 'answer_invalid') offset = undefined
				this.#interrupt(error.message)
				await this.#pauseOrWake(backoff.next(), signal)
			}
		}
	}

	async #loadList(): Promise<string> {
		const { nodes, streamOffset } = await this.#deps.api.nodes()
		this.#applyBatch([{ type: 'reset' }, ...nodes.map((node) => ({ type: 'node', node }) as const)])
		return streamOffset
	}

	/** Reads one response to its end; relays end these streams now and then on purpose. */
	async #follow(offset: string, signal: AbortSignal, moveTo: (offset: string) => void): Promise<void> {
		const response = new AbortController()
		const onAbort = (): void => response.abort()
		signal.addEventListener('abort', onAbort, { once: true })
		let cancelSilence = (): void => {}
		const heard = (): void => {
			cancelSilence()
			cancelSilence = this.#deps.clock.setTimer(SILENCE_MS, () => response.abort())
		}
		try {
			heard()
			const body = await this.#open(offset, response.signal)
			this.#setLive()
			for await (const event of eventsOf(body, heard)) {
				if (event.event === 'data') this.#applyBatch(parseEvent(event.data, nodeEventsSchema))
				if (event.event === 'control') moveTo(parseEvent(event.data, streamControlSchema).streamNextOffset)
			}
		} catch (caught) {
			if (response.signal.aborted && !signal.aborted) {
				throw new ClientError('connection_lost', 'the relay went silent', { retry: true, cause: caught })
			}
			if (caught instanceof ClientError) throw caught
			throw new ClientError('connection_lost', 'the connection to the relay was lost', { retry: true, cause: caught })
		} finally {
			cancelSilence()
			signal.removeEventListener('abort', onAbort)
			response.abort()
		}
	}

	async #open(offset: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
		const path = `/v1/streams/nodes?offset=${encodeURIComponent(offset)}&live=sse`
		const headers = { accept: 'text/event-stream' }
		const response = await authorized(this.#deps.credential, (token) =>
			this.#deps.http.open({ method: 'GET', path, headers, token, signal }),
		)
		if (response.body === null) throw new ClientError('answer_invalid', 'the relay gave no live stream')
		return response.body
	}

	/** After a `reset` the batch is the whole list; watchers get it as the changes that it makes. */
	#applyBatch(batch: readonly NodeEvent[]): void {
		const reset = batch.findLastIndex((event) => event.type === 'reset')
		if (reset >= 0) {
			const present = new Set(batch.slice(reset).map((event) => (event.type === 'node' ? event.node.id : undefined)))
			for (const id of [...this.#nodes.keys()]) if (!present.has(id)) this.#apply({ type: 'node_removed', id })
		}
		for (const event of batch.slice(reset + 1)) this.#apply(event)
	}

	#apply(change: NodeEvent): void {
		if (change.type === 'reset') return
		if (change.type === 'node') this.#nodes.set(change.node.id, change.node)
		else this.#nodes.delete(change.id)
		this.#tell(change)
	}

	#setLive(): void {
		if (this.#isLive) return
		this.#isLive = true
		this.#tell({ type: 'live' })
	}

	#interrupt(reason: string): void {
		this.#isLive = false
		this.#tell({ type: 'interrupted', reason })
	}

	#tell(event: Parameters<NodeWatch>[0]): void {
		for (const watch of [...this.#watches]) watch(event)
	}

	async #pauseOrWake(delayMs: number, signal: AbortSignal): Promise<void> {
		const woken = new AbortController()
		const wake = (): void => woken.abort()
		const stopListening = this.#deps.onWake?.(wake)
		signal.addEventListener('abort', wake, { once: true })
		await pause(this.#deps.clock, delayMs, woken.signal)
		signal.removeEventListener('abort', wake)
		stopListening?.()
	}
}

async function* eventsOf(body: ReadableStream<Uint8Array>, heard: () => void) {
	const reader = body.getReader()
	const decoder = new TextDecoder()
	const parser = new ServerSentEvents()
	try {
		for (;;) {
			const { done, value } = await reader.read()
			if (done) return
			heard()
			yield* parser.push(decoder.decode(value, { stream: true }))
		}
	} finally {
		await reader.cancel().catch(() => undefined)
	}
}

function parseEvent<T>(data: string, schema: v.GenericSchema<unknown, T>): T {
	const json = parseJson(data, MAX_EVENT_BYTES)
	const parsed = json.ok ? parseWith(schema, json.value) : json
	if (parsed.ok) return parsed.value
	throw new ClientError('answer_invalid', `the relay's live stream is not understood (${parsed.error.detail})`)
}
