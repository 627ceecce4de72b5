import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Origins } from './edge/origins.ts'
import type { StaticPage } from './static-page.ts'

export interface WebHandlerOptions {
	readonly origins: Origins
	/** Answers everything that is not the page: the HTTP interface. */
	readonly api: (request: IncomingMessage, response: ServerResponse) => void
	readonly page: StaticPage | undefined
	/** The public address is https: browsers are told to stay there. */
	readonly isSecure: boolean
}

const API_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/version', '/stats'])
/** Asked by load balancers under whatever name they have. */
const ANY_HOST_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/version'])

/** Routes a request to the HTTP interface or the page, behind the checks that hold for both. */
export function createWebHandler(options: WebHandlerOptions): (request: IncomingMessage, response: ServerResponse) => void {
	const { origins } = options
	return (request, response) => {
		const url = withoutPrefix(request.url ?? '/', origins.pathPrefix)
		if (url === undefined) {
			response.writeHead(308, { location: `${origins.pathPrefix}/` }).end()
			return
		}
		const path = url.split('?', 1)[0] ?? '/'
		if (options.isSecure) response.setHeader('strict-transport-security', 'max-age=31536000')
		if (!ANY_HOST_PATHS.has(path) && !origins.isListedHost(request.headers.host)) {
			sendText(response, 421, 'this relay is not known by that host name; set PUBLIC_URL to the address that people type\n')
			return
		}
		if (isApiPath(path)) {
			request.url = url
			options.api(request, response)
		} else if (options.page === undefined) sendText(response, 404, 'this relay serves no web page\n')
		else {
			options.page.serve(request, response, path).catch(() => {
				// The page's files can't be read just now; what was sent of one can't be taken back.
				if (response.headersSent) response.destroy()
				else sendText(response, 500, 'the web page could not be read\n')
			})
		}
	}
}

export function isApiPath(path: string): boolean {
	return API_PATHS.has(path) || /^\/(api|v1|internal)(\/|$)/.test(path)
}

/** A proxy may take the prefix off or leave it on. Undefined: the prefix itself, without its slash. */
export function withoutPrefix(url: string, prefix: string): string | undefined {
	if (prefix === '') return url
	if (url === prefix) return undefined
	return url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : url
}

function sendText(response: ServerResponse, status: number, text: string): void {
	response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }).end(text)
}
