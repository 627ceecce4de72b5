/** Under which origins and hosts this relay is known, and whose pages may open sockets. */
export interface Origins {
	/** Where people and agents find the relay; pairings are bound to it. */
	readonly publicOrigin: string
	/** The same with its path prefix: the address that people type. */
	readonly publicUrl: string
	/** Path before every route, such as `/sally`; empty for none. */
	readonly pathPrefix: string
	/** Every origin under which the relay itself may be dialled. */
	readonly own: readonly string[]
	/** A Host header is listed here or the request is refused (DNS rebinding). */
	isListedHost(host: string | undefined): boolean
	/** None (a program) or a listed one; `null`, look-alikes and other ports are not. */
	isAllowedOrigin(origin: string | undefined): boolean
	/** The relay's own addresses, path prefix included, that fit a Host header: over a TLS proxy the scheme is not known. */
	ownFor(host: string | undefined): readonly string[]
}

export interface OriginOptions {
	readonly publicUrl: string
	readonly allowedOrigins: readonly string[]
	readonly mode: 'development' | 'production'
	/** The port that is really listened on. */
	readonly port: number
	readonly isTls: boolean
}

export function createOrigins(options: OriginOptions): Origins {
	const url = new URL(options.publicUrl)
	const scheme = options.isTls ? 'https' : 'http'
	const loopback = ['127.0.0.1', 'localhost', '[::1]'].map((host) => new URL(`${scheme}://${host}:${options.port}`).origin)
	const own = [...new Set([url.origin, ...loopback])]
	const hosts = new Set(own.map((origin) => new URL(origin).host))
	// A page on another loopback name is a page of this relay only while developing.
	const allowed = new Set([url.origin, ...options.allowedOrigins, ...(options.mode === 'development' ? loopback : [])])
	return {
		publicOrigin: url.origin,
		publicUrl: options.publicUrl,
		pathPrefix: url.pathname.replace(/\/+$/, ''),
		own,
		isListedHost: (host) => host !== undefined && hosts.has(normalHost(host, hosts)),
		isAllowedOrigin: (origin) => origin === undefined || allowed.has(origin),
		// Below a path prefix agents dial, and sign, the whole address.
		ownFor: (host) =>
			[...new Set([...own, options.publicUrl])].filter(
				(origin) => host !== undefined && new URL(origin).host === normalHost(host, hosts),
			),
	}
}

/** Hosts compare without case and without the scheme's own port. */
function normalHost(host: string, hosts: ReadonlySet<string>): string {
	const lower = host.toLowerCase()
	if (hosts.has(lower)) return lower
	return lower.replace(/:(80|443)$/, '')
}
