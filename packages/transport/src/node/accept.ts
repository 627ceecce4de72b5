import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { NodeMessageSocket } from './node-socket.ts'
import { SOCKET_OPTIONS } from './options.ts'

/** Turns HTTP upgrade requests into sockets. It checks the WebSocket handshake only: Origin and Host are the caller's. */
export interface WebSocketAcceptor {
	/** Calls back with an open socket; a malformed handshake is answered with 4xx and dropped instead. */
	accept(request: IncomingMessage, socket: Duplex, head: Buffer, onSocket: (socket: NodeMessageSocket) => void): void
}

export interface AcceptOptions {
	/** Largest message that is taken; a larger one ends the socket with 1009 before it is buffered. */
	readonly maxMessageBytes: number
}

export function createWebSocketAcceptor(options: AcceptOptions): WebSocketAcceptor {
	const server = new WebSocketServer({
		...SOCKET_OPTIONS,
		noServer: true,
		clientTracking: false,
		maxPayload: options.maxMessageBytes,
		// A subprotocol is never chosen: none is defined.
		handleProtocols: () => false,
	})
	return {
		accept(request, socket, head, onSocket) {
			if (!(socket instanceof Socket)) {
				socket.destroy()
				return
			}
			server.handleUpgrade(request, socket, head, (ws) => onSocket(new NodeMessageSocket(ws, socket)))
		},
	}
}
