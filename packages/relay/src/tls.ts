import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import type { RequestListener, Server } from 'node:http'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Logger } from '@sallyport/protocol'
import { RelayError } from './errors.ts'

export interface TlsFiles {
	readonly certFile: string
	readonly keyFile: string
}

export interface WebServer {
	readonly server: Server
	/** Takes nobody in any more, gives the open connections a moment to end, then drops them. */
	close(): Promise<void>
}

/** How often the files are looked at: watching by events misses replaced files on some file systems. */
const LOOK_MS = 2000
/** How long peers get to answer the last close. */
const FAREWELL_MS = 1000
/** A header may hold a long bearer token, and no more. */
const SERVER_OPTIONS = {
	maxHeaderSize: 16 * 1024,
	keepAliveTimeout: 65_000,
	headersTimeout: 20_000,
	requestTimeout: 60_000,
} as const

/**
 * Makes the web server: plain, or with TLS from files that are read again whenever they change. A new pair that does not
 * fit is logged and the old one kept, since the two files are seldom replaced in one moment.
 *
 * @throws {RelayError} `TLS_UNUSABLE`
 */
export function createWebServer(
	files: TlsFiles | undefined,
	listener: RequestListener,
	options: { log: Logger; lookMs?: number },
): WebServer {
	if (files === undefined) return closable(createHttpServer(SERVER_OPTIONS, listener), () => undefined)
	const server = createSecureServer(files, listener)
	const reload = (): void => {
		try {
			server.setSecureContext(readPair(files))
			options.log.info('tls certificate loaded', { certFile: files.certFile })
		} catch (error) {
			options.log.warn('tls certificate not changed: the files do not fit or cannot be read', { error: messageOf(error) })
		}
	}
	const watched = [files.certFile, files.keyFile]
	for (const file of watched) watchFile(file, { interval: options.lookMs ?? LOOK_MS, persistent: false }, reload)
	return closable(server, () => {
		for (const file of watched) unwatchFile(file, reload)
	})
}

/** The server itself only knows of connections that still speak HTTP; those that became sockets are counted here. */
function closable(server: Server, unwatch: () => void): WebServer {
	const connections = new Set<Socket>()
	server.on('connection', (connection: Socket) => {
		connections.add(connection)
		connection.once('close', () => connections.delete(connection))
	})
	return {
		server,
		async close() {
			unwatch()
			if (!server.listening) return
			const closed = new Promise<void>((resolve) => server.close(() => resolve()))
			server.closeIdleConnections()
			const timer = setTimeout(() => {
				for (const connection of connections) connection.destroy()
			}, FAREWELL_MS)
			await closed
			clearTimeout(timer)
		},
	}
}

function createSecureServer(files: TlsFiles, listener: RequestListener) {
	try {
		return createHttpsServer({ ...SERVER_OPTIONS, ...readPair(files), minVersion: 'TLSv1.2' }, listener)
	} catch (cause) {
		throw new RelayError('TLS_UNUSABLE', `TLS_CERT and TLS_KEY can't be used: ${messageOf(cause)}`, { cause })
	}
}

function readPair(files: TlsFiles): { cert: Buffer; key: Buffer } {
	return { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) }
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error)
}
