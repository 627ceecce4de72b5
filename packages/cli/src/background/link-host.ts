import type { Duplex } from 'node:stream'
import type { LinkStream, OpeningStream, StreamRequest } from '@sallyport/carrier'
import { ClientError, type NodeConnection } from '@sallyport/client'
import type { NodeId } from '@sallyport/protocol'
import { CliError } from '../exit-codes.ts'
import { resolveNode } from '../names/resolve-node.ts'
import { readLine } from './line-reader.ts'
import type { LinkSource } from './link-source.ts'
import {
	encodeAnswer,
	LOCAL_VERSION,
	type LocalAnswer,
	type LocalRequest,
	parseGreeting,
	parseRequest,
} from './local-protocol.ts'
import { spliceFramed, spliceRaw } from './splice.ts'

export interface LinkHostDeps {
	readonly build: string
	/** Opened when first needed. */
	readonly source: () => Promise<LinkSource>
	readonly nowMs: () => number
	/** Asked to end: at once (`stop`) or as soon as the last stream is gone (`drain`). */
	readonly onStop: (how: 'stop' | 'drain') => void
	/** How many streams and requests are being served. */
	readonly onLoad: (active: number) => void
}

/** Names are looked up in a list at most this old, so that fifty commands at once ask the relay once. */
const LIST_MS = 3000
const OUTCOMES = 256

/** Serves commands: each channel is one request, over the one link to its node. */
export class LinkHost {
	readonly #deps: LinkHostDeps
	#active = 0
	#nextStream = 1
	#list: { readonly atMs: number; readonly nodes: ReturnType<LinkSource['nodes']> } | undefined
	readonly #outcomes = new Map<number, string>()

	constructor(deps: LinkHostDeps) {
		this.#deps = deps
	}

	/** Takes over a channel from its first byte. Never rejects. */
	async serve(channel: Duplex): Promise<void> {
		this.#deps.onLoad(++this.#active)
		// A command that goes away is told by the close; its errors say nothing more.
		channel.on('error', () => undefined)
		try {
			await this.#serve(channel)
		} catch (caught) {
			answer(channel, failure(caught))
			channel.end()
		} finally {
			this.#deps.onLoad(--this.#active)
		}
	}

	async #serve(channel: Duplex): Promise<void> {
		const line = await readLine(channel)
		if (line === undefined) return void channel.destroy()
		const greeting = parseGreeting(line)
		if (!greeting.ok) throw new ClientError('bad_request', greeting.error.detail)
		if (greeting.value.v !== LOCAL_VERSION || greeting.value.build !== this.#deps.build) {
			answer(channel, { kind: 'draining' })
			channel.end()
			return this.#deps.onStop('drain')
		}
		const request = parseRequest(greeting.value.request)
		if (!request.ok) throw new ClientError('bad_request', request.error.detail)
		return this.#perform(channel, request.value)
	}

	async #perform(channel: Duplex, request: LocalRequest): Promise<void> {
		const finish = (result?: unknown): void => {
			answer(channel, { kind: 'ok', ...(result === undefined ? {} : { result }) })
			channel.end()
		}
		switch (request.op) {
			case 'status':
				return finish({ pid: process.pid, active: this.#active - 1, build: this.#deps.build })
			case 'stop':
				finish()
				return this.#deps.onStop('stop')
			case 'outcome':
				return finish(this.#outcomes.get(request.stream) ?? null)
			case 'tcp':
				return this.#tcp(channel, request)
			case 'exec':
			case 'shell':
			case 'attach':
				return this.#framed(channel, request)
			case 'connect':
				return finish(nodeOf(await this.#connect(request.node)))
			case 'terminals':
				return finish(await (await this.#connect(request.node)).terminals())
			case 'end_terminal':
				return finish(await (await this.#connect(request.node)).endTerminal(request.terminal))
			case 'devices':
				return finish(await (await this.#connect(request.node)).devices())
			case 'revoke':
				return finish(await (await this.#connect(request.node)).revokeDevice(request.session))
			default:
				return request satisfies never
		}
	}

	async #tcp(channel: Duplex, request: Extract<LocalRequest, { op: 'tcp' }>): Promise<void> {
		const connection = await this.#connect(request.node)
		const target = {
			...(request.host === undefined ? {} : { host: request.host }),
			...(request.port === undefined ? {} : { port: request.port }),
		}
		const stream = await connection.openTcp(target)
		if (channel.destroyed) return stream.reset('cancelled')
		const id = this.#nextStream++
		answer(channel, { kind: 'ok', stream: id, node: nodeOf(connection) })
		const reset = await spliceRaw(channel, stream)
		if (reset === undefined) return undefined
		const message = reset.code === 'link_lost' ? (await connection.link.ended).message : reset.message || reset.code
		this.#outcomes.set(id, message)
		for (const old of [...this.#outcomes.keys()].slice(0, -OUTCOMES)) this.#outcomes.delete(old)
		return undefined
	}

	async #framed(channel: Duplex, request: Extract<LocalRequest, { op: 'exec' | 'shell' | 'attach' }>): Promise<void> {
		const connection = await this.#connect(request.node)
		const { stream, opened } = openFramed(connection, request)
		const { terminalId, name } = await opened
		if (channel.destroyed) return stream.reset('cancelled')
		answer(channel, {
			kind: 'ok',
			node: nodeOf(connection),
			...(terminalId === undefined ? {} : { terminal: { id: terminalId, name: name ?? '' } }),
		})
		return spliceFramed(channel, stream, {
			hasErrorData: request.op === 'exec',
			onDetach: () => undefined,
			linkEnded: () => connection.link.ended,
		})
	}

	async #connect(name: string): Promise<NodeConnection> {
		const source = await this.#deps.source()
		const id = await this.#resolve(source, name)
		try {
			return await source.connect(id)
		} catch (caught) {
			if (ClientError.from(caught).code !== 'not_paired' || !(await source.hasArrived(id))) throw caught
			return source.connect(id)
		}
	}

	async #resolve(source: LinkSource, name: string): Promise<NodeId> {
		const pairings = await source.pairings()
		const known = pairings.find((pairing) => pairing.nodeId === name)
		if (known !== undefined) return known.nodeId
		const isCached = this.#list !== undefined
		try {
			return resolveNode(name, await this.#nodes(source), pairings)
		} catch (error) {
			if (!isCached || CliError.from(error).code !== 'not_found') throw error
			// It may have come since the list was made.
			this.#list = undefined
			return resolveNode(name, await this.#nodes(source), pairings)
		}
	}

	#nodes(source: LinkSource): ReturnType<LinkSource['nodes']> {
		const nowMs = this.#deps.nowMs()
		if (this.#list !== undefined && nowMs - this.#list.atMs < LIST_MS) return this.#list.nodes
		const nodes = source.nodes()
		this.#list = { atMs: nowMs, nodes }
		nodes.catch(() => {
			this.#list = undefined
		})
		return nodes
	}
}

function openFramed(
	connection: NodeConnection,
	request: Extract<LocalRequest, { op: 'exec' | 'shell' | 'attach' }>,
): OpeningStream & { readonly stream: LinkStream } {
	return connection.link.openStream(streamRequest(request))
}

function streamRequest(request: Extract<LocalRequest, { op: 'exec' | 'shell' | 'attach' }>): StreamRequest {
	switch (request.op) {
		case 'exec':
			return {
				kind: 'exec',
				class: 'bulk',
				argv: request.argv,
				...(request.cwd === undefined ? {} : { cwd: request.cwd }),
				...(request.env === undefined ? {} : { env: request.env }),
			}
		case 'shell':
			return {
				kind: 'shell',
				class: 'interactive',
				cols: request.cols,
				rows: request.rows,
				...(request.term === undefined ? {} : { term: request.term }),
				...(request.name === undefined ? {} : { name: request.name }),
			}
		case 'attach':
			return {
				kind: 'attach',
				class: 'interactive',
				cols: request.cols,
				rows: request.rows,
				terminal_id: request.terminal,
			}
		default:
			return request satisfies never
	}
}

function nodeOf(connection: NodeConnection): { readonly id: NodeId; readonly name: string } {
	return { id: connection.nodeId, name: connection.link.ready.node.name }
}

function failure(caught: unknown): LocalAnswer {
	const error = CliError.from(caught)
	const client = ClientError.from(error.cause instanceof ClientError ? error.cause : caught)
	return {
		kind: 'failed',
		code: client.code,
		status: error.status,
		message: error.message.slice(0, 8192),
		...(client.retryAfterMs === undefined ? {} : { retry_after_ms: client.retryAfterMs }),
	}
}

function answer(channel: Duplex, message: LocalAnswer): void {
	if (channel.writable) channel.write(encodeAnswer(message))
}
