import type { Stats } from 'node:fs'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, normalize, resolve, sep } from 'node:path'
import { pipeline } from 'node:stream'
import { createGzip } from 'node:zlib'

export interface StaticPageOptions {
	/** Folder of the built web page, with an `index.html`. */
	readonly directory: string
	/** Path before every route, such as `/sally`; empty for none. */
	readonly pathPrefix: string
	/** The relay's own origins: where the page may open sockets. */
	readonly origins: readonly string[]
}

/** Serves the built web page. */
export interface StaticPage {
	/** `path` is that of the request without the prefix and query. */
	serve(request: IncomingMessage, response: ServerResponse, path: string): Promise<void>
}

const TYPES: Readonly<Record<string, string>> = {
	'.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
	'.mjs': 'text/javascript; charset=utf-8',
	'.css': 'text/css; charset=utf-8',
	'.json': 'application/json',
	'.map': 'application/json',
	'.svg': 'image/svg+xml',
	'.png': 'image/png',
	'.ico': 'image/x-icon',
	'.webp': 'image/webp',
	'.woff2': 'font/woff2',
	'.woff': 'font/woff',
	'.ttf': 'font/ttf',
	'.wasm': 'application/wasm',
	'.txt': 'text/plain; charset=utf-8',
	'.webmanifest': 'application/manifest+json',
}

/** Vite puts a hash of the content into these names: they never change. */
const HASHED_ASSET = /^\/assets\/.*-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/
/** Text shrinks to a quarter; pictures and fonts are packed already. */
const ZIPPED_TYPES = /^(text\/|application\/(json|wasm|manifest)|image\/svg)/
const ZIP_FROM_BYTES = 1024
const ONE_YEAR_S = 31_536_000

export function createStaticPage(given: StaticPageOptions): StaticPage {
	// Absolute and without a slash at its end: every file's name is held against it.
	const options = { ...given, directory: resolve(given.directory) }
	const policy = contentSecurityPolicy(options.origins)
	return {
		async serve(request, response, path) {
			setSecurityHeaders(response, policy)
			if (request.method !== 'GET' && request.method !== 'HEAD') {
				response.writeHead(405, { allow: 'GET, HEAD' }).end()
				return
			}
			const file = await findFile(options.directory, path)
			if (file !== undefined) return sendFile(request, response, { ...file, isImmutable: HASHED_ASSET.test(path) })
			// A missing asset is an error; any other path is a place inside the page.
			if (path !== '/index.html' && (extname(path) in TYPES || path.startsWith('/assets/'))) {
				response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }).end('not found')
				return
			}
			await sendIndex(request, response, options)
		},
	}
}

/** No script but the page's own files; styles inline too, since the terminal draws with them. */
export function contentSecurityPolicy(origins: readonly string[]): string {
	// A policy can't name an IPv6 address (CSP 3, host-source); there 'self' has to do, which covers sockets of the same host.
	const sockets = origins.filter((origin) => !origin.includes('[')).map((origin) => origin.replace(/^http/, 'ws'))
	return [
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self' 'unsafe-inline'",
		"img-src 'self' data: blob:",
		"font-src 'self'",
		['connect-src', "'self'", ...sockets].join(' '),
		"manifest-src 'self'",
		"worker-src 'self' blob:",
		"base-uri 'self'",
		"form-action 'self'",
		"frame-ancestors 'none'",
		"object-src 'none'",
	].join('; ')
}

function setSecurityHeaders(response: ServerResponse, policy: string): void {
	response.setHeader('content-security-policy', policy)
	response.setHeader('x-content-type-options', 'nosniff')
	response.setHeader('referrer-policy', 'no-referrer')
	response.setHeader('cross-origin-opener-policy', 'same-origin')
	response.setHeader('cross-origin-resource-policy', 'same-origin')
	response.setHeader('permissions-policy', 'camera=(), microphone=(), geolocation=(), usb=(), payment=()')
}

interface FoundFile {
	readonly name: string
	readonly stats: Stats
}

async function findFile(directory: string, path: string): Promise<FoundFile | undefined> {
	const decoded = decodedPath(path)
	if (decoded === undefined || decoded.endsWith('/') || decoded === '/index.html') return undefined
	const name = normalize(join(directory, decoded))
	if (!name.startsWith(directory + sep)) return undefined
	try {
		const stats = await stat(name)
		return stats.isFile() ? { name, stats } : undefined
	} catch {
		// Not there or not readable: the same answer, none.
		return undefined
	}
}

/** Refuses NUL, backslashes, dot names and malformed escapes: no file of ours has them. */
function decodedPath(path: string): string | undefined {
	try {
		const decoded = decodeURIComponent(path)
		return /[\0\\]|\/\./.test(decoded) ? undefined : decoded
	} catch {
		// decodeURIComponent throws on malformed escapes alone.
		return undefined
	}
}

interface SentFile extends FoundFile {
	readonly isImmutable: boolean
}

function sendFile(request: IncomingMessage, response: ServerResponse, file: SentFile): void {
	const type = TYPES[extname(file.name)] ?? 'application/octet-stream'
	const isZipped = file.stats.size >= ZIP_FROM_BYTES && ZIPPED_TYPES.test(type) && acceptsGzip(request)
	const tag = `"${file.stats.size.toString(36)}-${Math.floor(file.stats.mtimeMs).toString(36)}${isZipped ? '-z' : ''}"`
	response.setHeader('etag', tag)
	response.setHeader('vary', 'accept-encoding')
	response.setHeader('cache-control', file.isImmutable ? `public, max-age=${ONE_YEAR_S}, immutable` : 'no-cache')
	if (request.headers['if-none-match'] === tag) {
		response.writeHead(304).end()
		return
	}
	response.writeHead(200, {
		'content-type': type,
		...(isZipped ? { 'content-encoding': 'gzip' } : { 'content-length': file.stats.size }),
	})
	// The reader went away or the file did: pipeline has destroyed both ends, and there is nobody to tell.
	const done = (): void => undefined
	if (request.method === 'HEAD') response.end()
	else if (isZipped) pipeline(createReadStream(file.name), createGzip(), response, done)
	else pipeline(createReadStream(file.name), response, done)
}

function acceptsGzip(request: IncomingMessage): boolean {
	return /(^|,)\s*(gzip|\*)\s*(;\s*q=(0*\.\d*[1-9]|1))?\s*(,|$)/i.test(String(request.headers['accept-encoding'] ?? ''))
}

/** The page uses relative addresses; `<base>` makes them right at any depth and under any prefix. */
async function sendIndex(request: IncomingMessage, response: ServerResponse, options: StaticPageOptions): Promise<void> {
	const html = await readFile(join(options.directory, 'index.html'), 'utf8').catch(() => undefined)
	if (html === undefined) {
		response
			.writeHead(503, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
			.end('the web page is not built; run: npm run build')
		return
	}
	const based = html.includes('<base ') ? html : html.replace('<head>', `<head><base href="${options.pathPrefix}/">`)
	const body = Buffer.from(based)
	response.writeHead(200, {
		'content-type': 'text/html; charset=utf-8',
		'content-length': body.length,
		'cache-control': 'no-cache',
	})
	response.end(request.method === 'HEAD' ? undefined : body)
}
