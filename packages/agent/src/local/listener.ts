import { randomBytes } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock, KnockContext } from '@sallyport/carrier'
import type { Logger, NodeId, ServerMessage, VersionAnswer } from '@sallyport/protocol'
import { CLOSE, encodeMessage, LIMITS, PROTOCOL_VERSION, PROTOCOL_VERSIONS, parseClientMessage } from '@sallyport/protocol'
import type { MessageSocket } from '@sallyport/transport'
import { createWebSocketAcceptor, RECORD_SOCKET_BYTES } from '@sallyport/transport/node'
import { AgentError, errorText, systemCode } from '../errors.ts'
import { isLoopbackHost } from '../relay/origin.ts'
import { AGENT_VERSION } from '../version.ts'

export interface ListenerOptions {
	readonly host: string
	readonly port: number
	/** When the port is taken, take a free one. */
	readonly isPortFlexible: boolean
	readonly allowedHosts: readonly string[]
	readonly allowedOrigins: () => readonly string[]
	readonly nodeId: NodeId
	readonly clock: Clock
	readonly log: Logger
	readonly accept: (socket: MessageSocket, context: KnockContext) => void
}

/** The agent's own listener: direct links, and what it is. */
export interface Listener {
	readonly host: string
	readonly port: number
	close(): Promise<void>
}

/** Sockets that haven't said `open` yet: a stranger on the LAN can hold no more than these, each for 10 s. */
const UNOPENED_MAX = 64
const SOCKET_PATH = '/api/web/ws'

/**
 * Listens.
 *
 * @throws {AgentError} `port_taken`, `cannot_listen`
 */
export async function openListener(options: ListenerOptions): Promise<Listener> {
	const server = createServer({ maxHeaderSize: 16 * 1024, requestTimeout: 10_000, headersTimeout: 10_000 })
	const acceptor = createWebSocketAcceptor({ maxMessageBytes: RECORD_SOCKET_BYTES })
	const sockets = new Set<Duplex>()
	let unopened = 0
	server.on('request', (request, response) => answer(request, response, options))
	server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
		const refusal = upgradeRefusal(request, options, unopened)
		if (refusal !== undefined) {
			options.log.warn('direct connection refused', { reason: refusal[1] })
			refuseUpgrade(socket, refusal)
			return
		}
		sockets.add(socket)
		socket.once('close', () => sockets.delete(socket))
		acceptor.accept(request, socket, head, (webSocket) => {
			unopened++
			const context = contextOf(request)
			greet(webSocket, options, context, () => unopened--)
		})
	})
	server.on('clientError', (_error, socket) => socket.destroy())
	const port = await listen(server, options)
	return {
		host: options.host,
		port,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve())
				server.closeAllConnections()
				for (const socket of sockets) socket.destroy()
			}),
	}
}

async function listen(server: Server, options: ListenerOptions): Promise<number> {
	try {
		return await listenOn(server, options.host, options.port)
	} catch (error) {
		const code = systemCode(error)
		if (code === 'EADDRINUSE' && options.isPortFlexible) return listenOn(server, options.host, 0)
		if (code === 'EADDRINUSE') {
			throw new AgentError(
				'port_taken',
				`port ${options.port} on ${options.host} is taken by another program: set another with PORT, or stop that program`,
				{ cause: error },
			)
		}
		const why =
			code === 'EACCES'
				? 'this user may not use that port'
				: code === 'EADDRNOTAVAIL'
					? 'this machine has no such address'
					: errorText(error)
		throw new AgentError('cannot_listen', `the agent cannot listen on ${options.host} port ${options.port}: ${why}`, {
			cause: error,
		})
	}
}

function listenOn(server: Server, host: string, port: number): Promise<number> {
	return new Promise((resolve, reject) => {
		server.once('error', reject)
		server.listen({ host, port }, () => {
			server.off('error', reject)
			// A connection that can't be accepted, as when file descriptors run out, is no reason to end for all others.
			server.on('error', () => undefined)
			const address = server.address()
			resolve(typeof address === 'object' && address !== null ? address.port : port)
		})
	})
}

function answer(request: IncomingMessage, response: ServerResponse, options: ListenerOptions): void {
	response.setHeader('x-content-type-options', 'nosniff')
	response.setHeader('cache-control', 'no-store')
	if (!isHostAllowed(request, options)) return reply(response, 403, { error: 'this agent is not known under that host name' })
	const path = request.url?.split('?')[0]
	if (request.method !== 'GET' && request.method !== 'HEAD') return reply(response, 405, { error: 'only GET is answered here' })
	if (path === '/healthz') return reply(response, 200, { status: 'ok' })
	if (path === '/version') {
		const version: VersionAnswer = { name: 'sallyport-agent', version: AGENT_VERSION, protocol_versions: PROTOCOL_VERSIONS }
		return reply(response, 200, version)
	}
	return reply(response, 404, { error: 'there is nothing here' })
}

function reply(response: ServerResponse, status: number, body: object): void {
	response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

/** Before the upgrade: a page of another site, or a name that was made to point here, gets no socket. */
function upgradeRefusal(
	request: IncomingMessage,
	options: ListenerOptions,
	unopened: number,
): readonly [number, string] | undefined {
	if (request.url !== SOCKET_PATH) return [404, 'there is no socket here']
	if (!isHostAllowed(request, options)) return [403, 'this agent is not known under that host name']
	const { origin } = request.headers
	if (origin !== undefined && !options.allowedOrigins().includes(origin)) return [403, 'pages of that origin may not connect']
	return unopened >= UNOPENED_MAX ? [503, 'too many connections are being opened'] : undefined
}

/** A host is the address that the connection came to, `localhost` on loopback, or a name that was listed. */
function isHostAllowed(request: IncomingMessage, options: ListenerOptions): boolean {
	const { host } = request.headers
	if (host === undefined || !URL.canParse(`http://${host}/`)) return false
	const url = new URL(`http://${host}/`)
	if (url.username !== '' || url.password !== '' || url.pathname !== '/') return false
	const name = url.hostname.replace(/^\[|\]$/g, '')
	const local = (request.socket.localAddress ?? '').replace(/^::ffff:/, '')
	if (isIP(name) !== 0) return name === local || (isLoopbackHost(name) && isLoopbackHost(local))
	return (name === 'localhost' && isLoopbackHost(local)) || options.allowedHosts.includes(name)
}

function refuseUpgrade(socket: Duplex, [status, reason]: readonly [number, string]): void {
	const body = `${reason}\n`
	socket.on('error', () => undefined)
	// Destroyed, not only ended: a peer that keeps its half open would hold the descriptor, and the agent's own end, for ever.
	socket.end(
		`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
		() => socket.destroy(),
	)
}

function contextOf(request: IncomingMessage): KnockContext {
	const address = (request.socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '')
	return { via: 'direct', origin: `http://${request.headers.host ?? ''}`, user: 'local', address }
}

/** Hello with the version alone, `open` for this node, then the link: all else is said inside it. */
function greet(socket: MessageSocket, options: ListenerOptions, context: KnockContext, onOpened: () => void): void {
	let isDone = false
	let hasGreeted = false
	const done = (): void => {
		if (isDone) return
		isDone = true
		cancel()
		onOpened()
	}
	const refuse = (close: (typeof CLOSE)[keyof typeof CLOSE], reason: string = close.message): void => {
		say(socket, { op: 'refused', code: close.name, reason })
		socket.close(close.code, close.name)
		done()
	}
	const cancel = options.clock.setTimer(LIMITS.helloMs, () => refuse(CLOSE.timedOut))
	const openNode = (nodeId: NodeId): void => {
		if (nodeId !== options.nodeId) return refuse(CLOSE.notFound, 'this is another machine')
		say(socket, { op: 'opened' })
		done()
		options.accept(socket, context)
	}
	socket.setHandlers({
		onText: (text) => {
			if (isDone) return undefined
			const message = parseClientMessage(text)
			if (!message.ok) return refuse(CLOSE.badRequest, message.error.detail)
			if (message.value.op === 'open')
				return hasGreeted ? openNode(message.value.node_id) : refuse(CLOSE.badRequest, 'hello comes first')
			if (hasGreeted) return refuse(CLOSE.badRequest, 'hello was said already')
			if (message.value.version !== PROTOCOL_VERSION) return refuse(CLOSE.version)
			hasGreeted = true
			say(socket, { op: 'hello_ok', version: PROTOCOL_VERSION })
			return message.value.open === undefined ? undefined : openNode(message.value.open.node_id)
		},
		onBinary: () => refuse(CLOSE.badRequest, 'bytes came before the link was opened'),
		onClose: done,
	})
	say(socket, {
		op: 'auth_required',
		node_id: options.nodeId,
		challenge: new Uint8Array(randomBytes(32)),
		transport: 'websocket',
		versions: [...PROTOCOL_VERSIONS],
	})
}

function say(socket: MessageSocket, message: ServerMessage): void {
	socket.sendText(encodeMessage(message))
}
