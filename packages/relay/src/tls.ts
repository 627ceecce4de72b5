import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import type { RequestListener, Server } from 'node:http'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Logger } from '@sallyport/protocol'
import { RelayError } from './errors.ts'

export interface TlsFiles {
	readonly certFile: string
	readonly keyFile: string
}

export interface WebServer {
	readonly server: Server
	/** Stops watching the files; the server itself is closed by its user. */
	unwatch(): void
}

/** How often the files are looked at: watching by events misses replaced files on some file systems. */
const LOOK_MS = 2000
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
	if (files === undefined) return { server: createHttpServer(SERVER_OPTIONS, listener), unwatch: () => undefined }
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
	return {
		server,
		unwatch: () => {
			for (const file of watched) unwatchFile(file, reload)
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
