/**
 * What stands between people's programs and a real relay, and cheats: an HTTP and WebSocket proxy that passes all on
 * until a test gives it a trick. The relay is told to be known under its origin, so agents and clients both go through.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { LIMITS } from '@sallyport/protocol'
import type { MessageSocket } from '@sallyport/transport'
import { createWebSocketAcceptor, dialWebSocket } from '@sallyport/transport/node'
import type { Scope } from '../harness/index.ts'

/** Who sent a message: whoever dialled (client or agent), or the relay. */
export type Sender = 'dialler' | 'relay'

export interface Leg {
	readonly path: string
	readonly dialler: MessageSocket
	readonly relay: MessageSocket
	/** Binary messages seen so far, by sender, as they came. */
	readonly seen: Readonly<Record<Sender, Uint8Array[]>>
}

export interface Passing<T> {
	readonly leg: Leg
	readonly sender: Sender
	/** Counted per leg and sender, from 0. */
	readonly index: number
	readonly message: T
}

/** What is passed on in place of a message: nothing, itself, or others. */
export interface Tricks {
	onBinary?: (passing: Passing<Uint8Array>) => readonly Uint8Array[]
	onText?: (passing: Passing<string>) => readonly string[]
	/** Changes the JSON of an HTTP answer; undefined leaves it. */
	onAnswer?: (path: string, body: string) => string | undefined
	/** A socket is dialled: true keeps it away from the relay; the trick plays the relay itself. */
	onDial?: (path: string, socket: MessageSocket) => boolean
}

export interface CheatingPath {
	readonly origin: string
	/** Where the real relay listens. */
	target: string
	tricks: Tricks
	readonly legs: readonly Leg[]
	/** The newest leg of a path. */
	latest(path: string): Leg
}

export async function startCheatingPath(scope: Scope): Promise<CheatingPath> {
	const acceptor = createWebSocketAcceptor({ maxMessageBytes: LIMITS.recordBytes + 1 })
	const legs: Leg[] = []
	const path = {
		origin: '',
		target: '',
		tricks: {} as Tricks,
		legs,
		latest(wanted: string): Leg {
			const found = legs.filter((leg) => leg.path === wanted).at(-1)
			if (found === undefined) throw new Error(`nobody has dialled ${wanted}`)
			return found
		},
	}
	const server = createServer((request, response) => passHttp(path, request, response))
	server.on('upgrade', (request, socket, head) => {
		acceptor.accept(request, socket, head, (dialler) => {
			const url = request.url ?? ''
			if (path.tricks.onDial?.(url, dialler) === true) return
			void passSockets(path, url, request, dialler)
		})
	})
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
	const address = server.address()
	if (address === null || typeof address === 'string') throw new Error('the path has no port')
	path.origin = `http://127.0.0.1:${address.port}`
	scope.defer(
		() =>
			new Promise<void>((resolve) => {
				for (const leg of legs) {
					leg.dialler.terminate()
					leg.relay.terminate()
				}
				server.close(() => resolve())
				server.closeAllConnections()
			}),
	)
	return path
}

function passHttp(path: CheatingPath, request: IncomingMessage, response: ServerResponse): void {
	const { hostname, port } = new URL(path.target)
	const onward = httpRequest(
		{ hostname, port, path: request.url, method: request.method, headers: request.headers },
		(answer) => {
			passAnswer(path, request.url ?? '', answer, response)
		},
	)
	onward.on('error', () => response.destroy())
	response.on('close', () => onward.destroy())
	request.pipe(onward)
}

/** Whole when a trick may want to change it; as it comes otherwise, since some answers never end. */
function passAnswer(path: CheatingPath, url: string, answer: IncomingMessage, response: ServerResponse): void {
	const { onAnswer } = path.tricks
	if (onAnswer === undefined || answer.headers['content-type']?.startsWith('application/json') !== true) {
		response.writeHead(answer.statusCode ?? 502, answer.headers)
		answer.pipe(response)
		return
	}
	const chunks: Buffer[] = []
	answer.on('data', (chunk: Buffer) => chunks.push(chunk))
	answer.on('end', () => {
		const { 'content-length': _, 'transfer-encoding': __, ...headers } = answer.headers
		const body = Buffer.concat(chunks).toString('utf8')
		response.writeHead(answer.statusCode ?? 502, headers).end(onAnswer(url, body) ?? body)
	})
}

async function passSockets(path: CheatingPath & { legs: Leg[] }, url: string, request: IncomingMessage, dialler: MessageSocket) {
	const relay = await dialWebSocket(path.target.replace('http', 'ws') + url, {
		headers: { host: request.headers.host ?? '' },
	}).catch(() => undefined)
	if (relay === undefined) return dialler.terminate()
	const leg: Leg = { path: url, dialler, relay, seen: { dialler: [], relay: [] } }
	path.legs.push(leg)
	pass(path, leg, 'dialler')
	pass(path, leg, 'relay')
}

function pass(path: CheatingPath, leg: Leg, sender: Sender): void {
	const [from, to] = sender === 'dialler' ? [leg.dialler, leg.relay] : [leg.relay, leg.dialler]
	let texts = 0
	from.setHandlers({
		onText: (message) => {
			const passed = path.tricks.onText?.({ leg, sender, index: texts++, message }) ?? [message]
			for (const text of passed) to.sendText(text)
		},
		onBinary: (bytes) => {
			const message = Uint8Array.from(bytes)
			const index = leg.seen[sender].push(message) - 1
			const passed = path.tricks.onBinary?.({ leg, sender, index, message }) ?? [message]
			for (const each of passed) to.sendBinary(Uint8Array.from(each))
		},
		onClose: (close) => (close.code === 1006 ? to.terminate() : to.close(close.code === 1005 ? 1000 : close.code, close.reason)),
	})
}
