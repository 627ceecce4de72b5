import type { IncomingMessage } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Origins } from './origins.ts'

export const SOCKET_ROUTES = ['/api/web/ws', '/api/nodes/ws', '/api/nodes/link'] as const
export type SocketRoute = (typeof SOCKET_ROUTES)[number]

export type UpgradeVerdict =
	| { readonly kind: 'accept'; readonly route: SocketRoute }
	| { readonly kind: 'reject'; readonly status: 400 | 403 | 404; readonly reason: string }

/** Judges an upgrade request by its line and headers, before anything of a WebSocket is done. */
export function judgeUpgrade(request: IncomingMessage, origins: Origins): UpgradeVerdict {
	if (!origins.isListedHost(request.headers.host))
		return {
			kind: 'reject',
			status: 403,
			reason: 'this relay is not known by that host name; set PUBLIC_URL to the address that people type',
		}
	if (!origins.isAllowedOrigin(request.headers.origin))
		return { kind: 'reject', status: 403, reason: 'pages of that origin may not connect to this relay' }
	const [path = '', query] = (request.url ?? '').split('?', 2)
	if (query !== undefined)
		return { kind: 'reject', status: 400, reason: 'socket addresses take no query; credentials go in hello' }
	const route = SOCKET_ROUTES.find((candidate) => candidate === path || origins.pathPrefix + candidate === path)
	return route === undefined
		? { kind: 'reject', status: 404, reason: 'there is no socket at that path' }
		: { kind: 'accept', route }
}

/** Answers an upgrade with plain HTTP and drops the connection. */
export function rejectUpgrade(socket: Duplex, status: number, reason: string): void {
	// The peer may be gone already; there is nobody to tell.
	socket.on('error', () => socket.destroy())
	socket.end(
		[
			`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
			'Connection: close',
			'Content-Type: text/plain; charset=utf-8',
			`Content-Length: ${Buffer.byteLength(reason)}`,
			'',
			reason,
		].join('\r\n'),
		() => socket.destroy(),
	)
}
