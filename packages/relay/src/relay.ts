import { IncomingMessage } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import type { LogFields, Logger, RelayId } from '@sallyport/protocol'
import { silentLogger } from '@sallyport/protocol'
import type { Control } from './access/create-control.ts'
import { createControl } from './access/create-control.ts'
import type { RelayConfig } from './config.ts'
import { createAddressReader } from './edge/client-address.ts'
import type { Edge } from './edge/edge.ts'
import { createEdge } from './edge/edge.ts'
import type { Origins } from './edge/origins.ts'
import { createOrigins } from './edge/origins.ts'
import type { ApiLog } from './http/ports.ts'
import { loadAuthSecret } from './identity/auth-secret.ts'
import type { SetupSecrets } from './identity/first-run.ts'
import { listen } from './listen.ts'
import { createStaticPage } from './static-page.ts'
import type { Store } from './store/store.ts'
import { openStore } from './store/store.ts'
import { createWebServer } from './tls.ts'
import { createWebHandler } from './web-handler.ts'

export interface RelayDeps {
	readonly version: string
	/** Folder of the built web page; absent: the relay serves none. */
	readonly pageDirectory?: string
	/** @default silent */
	readonly log?: Logger
	/** Milliseconds since 1970. @default Date.now */
	readonly nowMs?: () => number
}

/** A relay that runs. */
export interface Relay {
	/** The address that people type. */
	readonly url: string
	/** The origin to which pairings are bound. */
	readonly origin: string
	readonly relayId: RelayId
	/** The port that is really listened on. */
	readonly port: number
	/** Until there is an owner: the secrets of this start. They go into a URL's fragment and to the local agent. */
	readonly setup?: SetupSecrets
	/** Tells everyone that the relay restarts, then ends; idempotent. */
	close(): Promise<void>
}

/**
 * Starts a relay: store, identity and access, edge, HTTP and page in one process.
 *
 * @throws {RelayError} `PORT_TAKEN`, `PORT_FORBIDDEN`, `ADDRESS_UNKNOWN`, `LISTEN_FAILED`, `TLS_UNUSABLE`
 * @throws {StoreError} when the database or its folder can't be used
 */
export async function createRelay(deps: RelayDeps, config: RelayConfig): Promise<Relay> {
	const log = deps.log ?? silentLogger
	const closers: (() => Promise<void> | void)[] = []
	const closeAll = async (): Promise<void> => {
		for (const close of closers.splice(0).reverse()) await close()
	}
	try {
		return await start(deps, config, { log, closers, closeAll })
	} catch (error) {
		await closeAll()
		throw error
	}
}

interface Lifetime {
	readonly log: Logger
	/** Undone in reverse order. */
	readonly closers: (() => Promise<void> | void)[]
	readonly closeAll: () => Promise<void>
}

async function start(deps: RelayDeps, config: RelayConfig, { log, closers, closeAll }: Lifetime): Promise<Relay> {
	let handle: ReturnType<typeof createWebHandler> = (_request, response) => {
		response.writeHead(503, { 'retry-after': '1', 'content-type': 'text/plain' }).end('the relay is starting\n')
	}
	const web = createWebServer(config.tls, (request, response) => handle(request, response), { log })
	closers.push(() => web.close())
	const port = await listen(web.server, config)
	const origins = originsOf(config, port)
	const store = await openStore(storeConfig(config, log))
	closers.push(() => store.close())
	const control = await openControl({ deps, config, origins, store, log })
	closers.push(() => control.close())
	const edge = openEdge({ deps, config, origins, control, log })
	closers.push(() => edge.close())
	web.server.on('upgrade', (request, socket, head) => edge.handleUpgrade(request, socket, head))
	const addressOf = createAddressReader(config)
	const api = control.createApi({ edgeView: edge.view, clientAddress: (context) => addressOf(incomingOf(context.env)) })
	const answer = getRequestListener(api.fetch, { overrideGlobalObjects: false })
	handle = createWebHandler({
		origins,
		api: (request, response) => {
			answer(request, response).catch((error: unknown) => log.error('a request could not be answered', { error: String(error) }))
		},
		page:
			deps.pageDirectory === undefined
				? undefined
				: createStaticPage({ directory: deps.pageDirectory, pathPrefix: origins.pathPrefix, origins: origins.own }),
		isSecure: origins.publicOrigin.startsWith('https://'),
	})
	const setup = await control.createSetup()
	// From here on what stands on the database ends before it does.
	closers.splice(
		0,
		closers.length,
		() => store.close(),
		() => control.close(),
		() => web.close(),
		() => edge.close(),
	)
	log.info('relay listens', { host: config.host, port, url: origins.publicUrl })
	let closing: Promise<void> | undefined
	return {
		url: origins.publicUrl,
		origin: origins.publicOrigin,
		relayId: control.controlPlane.relayId,
		port,
		...(setup === undefined ? {} : { setup }),
		close() {
			closing ??= closeAll()
			return closing
		},
	}
}

function originsOf(config: RelayConfig, port: number): Origins {
	const isTls = config.tls !== undefined
	return createOrigins({
		publicUrl: config.publicUrl ?? `${isTls ? 'https' : 'http'}://${publicHost(config.host)}:${port}`,
		allowedOrigins: config.allowedOrigins,
		mode: config.mode,
		port,
		isTls,
	})
}

/** A relay that listens everywhere is found here, until PUBLIC_URL says where else. */
function publicHost(host: string): string {
	if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
	return host.includes(':') ? `[${host}]` : host
}

function storeConfig(config: RelayConfig, log: Logger): Parameters<typeof openStore>[0] {
	if (config.databaseUrl === undefined) return { kind: 'sqlite', dataDir: config.dataDir }
	return {
		kind: 'postgres',
		url: config.databaseUrl,
		onPoolError: (failure) => log.warn('an idle database connection was lost', { error: failure.message }),
	}
}

interface Parts {
	readonly deps: RelayDeps
	readonly config: RelayConfig
	readonly origins: Origins
	readonly log: Logger
}

function openControl({ deps, config, origins, store, log }: Parts & { readonly store: Store }): Promise<Control> {
	return createControl({
		store,
		authSecret: loadAuthSecret(config.dataDir),
		origin: origins.publicOrigin,
		publicUrl: origins.publicUrl,
		allowedOrigins: config.allowedOrigins,
		dialOrigins: [...new Set([...origins.own, origins.publicUrl])],
		version: deps.version,
		limits: { newLinksPerMinute: config.newLinksPerMinute, hellosPerMinute: config.hellosPerMinute },
		log: apiLog(log),
		...(deps.nowMs === undefined ? {} : { nowMs: deps.nowMs }),
	})
}

function openEdge({ deps, config, origins, control, log }: Parts & { readonly control: Control }): Edge {
	return createEdge(
		{
			control: control.controlPlane,
			origins,
			clientAddress: createAddressReader(config),
			log,
			nowMs: deps.nowMs ?? Date.now,
		},
		{ pingMs: config.pingMs, statsRefreshMs: config.statsRefreshMs, socketsPerUser: config.socketsPerUser },
	)
}

/** The logger takes plain values; of an error its message is what helps. */
function apiLog(log: Logger): ApiLog {
	return {
		error(message, fields) {
			const plain: Record<string, LogFields[string]> = {}
			for (const [name, value] of Object.entries(fields)) plain[name] = value instanceof Error ? value.message : String(value)
			log.error(message, plain)
		},
	}
}

/** Hono's Node adapter puts the request it came from into `env`. */
function incomingOf(env: unknown): IncomingMessage {
	if (typeof env === 'object' && env !== null && 'incoming' in env && env.incoming instanceof IncomingMessage) return env.incoming
	throw new TypeError('the HTTP interface was called without the request behind it')
}
