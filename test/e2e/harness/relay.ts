/** Relay and agent as programs of their own, as they run on a server and on the machines that it serves. */
import { createServer } from 'node:net'
import type { Child } from './child.ts'
import { type Settings, startSally } from './sally.ts'
import type { Home, Scope } from './scope.ts'

export interface RelayProcess {
	readonly child: Child
	readonly home: Home
	/** The address that people type, with its path prefix. */
	readonly url: string
	/** Until there is an owner. */
	readonly setupSecret: string
	/** As printed. */
	readonly link: string
}

/** `sally relay`, on a free port unless the settings name one. */
export async function startRelay(scope: Scope, home: Home, env: Settings = {}): Promise<RelayProcess> {
	const child = startSally(scope, home, ['relay'], { PORT: '0', ...env })
	const [, link = ''] = await child.waitForOutput(/Sallyport relay is ready: (\S+)/)
	const url = new URL(link)
	const setupSecret = new URLSearchParams(url.hash.slice(1)).get('setup') ?? ''
	return { child, home, link, setupSecret, url: `${url.origin}${url.pathname.replace(/\/+$/, '')}` }
}

/** `sally agent start`, with a free port for its own listener. */
export function startAgent(scope: Scope, home: Home, env: Settings = {}): Child {
	return startSally(scope, home, ['agent', 'start'], { PORT: '0', ...env })
}

/**
 * A port that was free a moment ago, for what must be told its port before it listens (a `PUBLIC_URL` holds it).
 */
export function freePort(host = '127.0.0.1'): Promise<number> {
	return new Promise((resolve, reject) => {
		const server = createServer()
		server.once('error', reject)
		server.listen(0, host, () => {
			const address = server.address()
			server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))))
		})
	})
}
