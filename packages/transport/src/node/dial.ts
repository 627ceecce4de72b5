import type { Socket } from 'node:net'
import WebSocket from 'ws'
import { TransportError } from '../errors.ts'
import { dialFailure } from './dial-failure.ts'
import { NodeMessageSocket } from './node-socket.ts'
import { RECORD_SOCKET_BYTES, SOCKET_OPTIONS } from './options.ts'

export interface DialOptions {
	readonly signal?: AbortSignal
	/** Sent as the Origin header. @default none, as programs do */
	readonly origin?: string
	/** PEM certificates to trust instead of the system's. */
	readonly ca?: string | readonly string[]
	/** Until the socket is open. @default 10_000 */
	readonly timeoutMs?: number
	/** Largest message that is taken. @default RECORD_SOCKET_BYTES */
	readonly maxMessageBytes?: number
	/** @default none */
	readonly headers?: Readonly<Record<string, string>>
}

/**
 * Opens a WebSocket. Never follows redirects: where an agent or client connects to is pinned.
 *
 * @throws {TransportError} with every code of `TRANSPORT_ERROR_CODES`
 */
export function dialWebSocket(url: string, options: DialOptions = {}): Promise<NodeMessageSocket> {
	return new Promise((resolve, reject) => {
		if (options.signal?.aborted === true) {
			reject(new TransportError('DIAL_ABORTED', 'dial was given up before it began'))
			return
		}
		const ws = createClient(url, options)
		if (ws instanceof TransportError) {
			reject(ws)
			return
		}
		let tcp: Socket | undefined
		const onAbort = (): void => fail(new TransportError('DIAL_ABORTED', `dial to ${originOf(url)} was given up`))
		const fail = (error: TransportError): void => {
			options.signal?.removeEventListener('abort', onAbort)
			reject(error)
			// An attempt that is cut off reports that as an error too; the promise has its answer by then.
			ws.removeAllListeners().on('error', () => {})
			ws.terminate()
		}
		options.signal?.addEventListener('abort', onAbort, { once: true })
		ws.once('upgrade', (response) => {
			tcp = response.socket
		})
		ws.once('unexpected-response', (_request, response) => {
			const status = response.statusCode ?? 0
			fail(new TransportError('DIAL_HTTP_STATUS', `${originOf(url)} answered with status ${status}`, { status }))
		})
		ws.once('error', (error) => fail(dialFailure(originOf(url), error)))
		ws.once('open', () => {
			options.signal?.removeEventListener('abort', onAbort)
			if (tcp === undefined) return fail(new TransportError('DIAL_FAILED', `${originOf(url)} gave no socket`))
			ws.removeAllListeners()
			return resolve(new NodeMessageSocket(ws, tcp))
		})
	})
}

function createClient(url: string, options: DialOptions): WebSocket | TransportError {
	try {
		return new WebSocket(url, {
			...SOCKET_OPTIONS,
			handshakeTimeout: options.timeoutMs ?? 10_000,
			maxPayload: options.maxMessageBytes ?? RECORD_SOCKET_BYTES,
			followRedirects: false,
			// A mask of zeros spares both Node ends the masking. Masks guard caches against text that a page chooses;
			// what goes out here is JSON of our own and records that look random.
			generateMask: (mask) => mask.fill(0),
			...(options.origin === undefined ? {} : { origin: options.origin }),
			...(options.ca === undefined ? {} : { ca: typeof options.ca === 'string' ? options.ca : [...options.ca] }),
			...(options.headers === undefined ? {} : { headers: { ...options.headers } }),
		})
	} catch (cause) {
		return new TransportError('DIAL_URL_INVALID', 'the address is not that of a WebSocket (ws:// or wss://)', { cause })
	}
}

function originOf(url: string): string {
	return URL.canParse(url) ? new URL(url).origin : 'the address'
}
