import { TransportError } from '../errors.ts'
import { BrowserMessageSocket } from './browser-socket.ts'

export interface BrowserDialOptions {
	readonly signal?: AbortSignal
	/** Until the socket is open. @default 10_000 */
	readonly timeoutMs?: number
}

/**
 * Opens a WebSocket. A page is not told why a socket could not be opened, so most failures are `DIAL_FAILED`.
 *
 * @throws {TransportError} `DIAL_URL_INVALID`, `DIAL_TIMEOUT`, `DIAL_ABORTED`, `DIAL_FAILED`
 */
export function dialWebSocket(url: string, options: BrowserDialOptions = {}): Promise<BrowserMessageSocket> {
	return new Promise((resolve, reject) => {
		if (options.signal?.aborted === true) {
			reject(new TransportError('DIAL_ABORTED', 'dial was given up before it began'))
			return
		}
		const ws = createSocket(url)
		if (ws instanceof TransportError) {
			reject(ws)
			return
		}
		ws.binaryType = 'arraybuffer'
		// Tells nothing that the close doesn't, and some implementations demand a listener.
		ws.onerror = () => undefined
		const settle = (): void => {
			clearTimeout(timer)
			options.signal?.removeEventListener('abort', onAbort)
			ws.onopen = null
			ws.onclose = null
		}
		const fail = (error: TransportError): void => {
			settle()
			reject(error)
			ws.close()
		}
		const onAbort = (): void => fail(new TransportError('DIAL_ABORTED', 'dial was given up'))
		const timer = setTimeout(() => {
			fail(new TransportError('DIAL_TIMEOUT', `${new URL(ws.url).origin} did not answer in time`))
		}, options.timeoutMs ?? 10_000)
		options.signal?.addEventListener('abort', onAbort, { once: true })
		ws.onclose = () => fail(new TransportError('DIAL_FAILED', `${new URL(ws.url).origin} could not be reached`))
		ws.onopen = () => {
			settle()
			resolve(new BrowserMessageSocket(ws))
		}
	})
}

function createSocket(url: string): WebSocket | TransportError {
	try {
		return new WebSocket(url)
	} catch (cause) {
		return new TransportError('DIAL_URL_INVALID', 'the page may not open a WebSocket to that address', { cause })
	}
}
