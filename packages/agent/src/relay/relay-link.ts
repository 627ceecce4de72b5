import type { Clock, LinkAcceptor } from '@sallyport/carrier'
import type { Logger, NodeMessage } from '@sallyport/protocol'
import { CONTROL_SOCKET_BYTES, dialWebSocket, keepAlive } from '@sallyport/transport/node'
import type { AgentConfig } from '../config/config.ts'
import { errorText } from '../errors.ts'
import type { PairingBook } from '../gate/pairing-book.ts'
import type { HostDescription } from '../host-description.ts'
import type { NodeIdentity } from '../state/node-identity.ts'
import type { RelayPin } from '../state/relay-pin.ts'
import { DialBack } from './dial-back.ts'
import { hostStats } from './host-stats.ts'
import type { RelayState } from './relay-connection.ts'
import { RelayConnection } from './relay-connection.ts'
import { vouch } from './vouch.ts'

export interface RelayLinkDeps {
	readonly config: AgentConfig
	readonly pin: RelayPin
	readonly identity: NodeIdentity
	readonly host: HostDescription
	readonly ca: string | undefined
	readonly book: PairingBook
	readonly acceptor: LinkAcceptor
	readonly clock: Clock
	readonly random: () => number
	readonly log: Logger
	readonly onState: (state: RelayState) => void
	/** The relay knows the node under this name, for this owner. */
	readonly onNamed: (name: string, owner: RelayPin['owner']) => void
}

/** Everything between this node and the relay it is enrolled at. */
export interface RelayLink {
	readonly state: RelayState
	readonly address: string | undefined
	send(message: NodeMessage): void
	stop(): void
}

export function startRelayLink(deps: RelayLinkDeps): RelayLink {
	const { config, pin, log } = deps
	const tls = deps.ca === undefined ? {} : { ca: deps.ca }
	let origins: readonly string[] = []
	const dialBack = new DialBack({
		pin,
		listedOrigins: () => origins,
		allowPlainHttp: config.allowPlainHttp,
		dial: (url, signal) => dialWebSocket(url, { signal, ...tls }),
		accept: (socket, context) => deps.acceptor.accept(socket, context),
		send: (message) => connection.send(message),
		clock: deps.clock,
		log,
	})
	const connection = new RelayConnection({
		pin,
		identity: deps.identity,
		host: deps.host,
		dial: async (url, signal) => {
			const socket = await dialWebSocket(url, { signal, maxMessageBytes: CONTROL_SOCKET_BYTES, ...tls })
			return { socket, keepAlive: (onRtt) => keepAlive(socket, { intervalMs: config.pingIntervalMs, onRtt }) }
		},
		stats: hostStats,
		statsIntervalMs: config.statsIntervalMs,
		clock: deps.clock,
		random: deps.random,
		log,
		hasLinks: () => deps.acceptor.links.length > 0,
		onConnected: (hello) => {
			origins = hello.origins
			deps.onNamed(hello.name, hello.owner)
		},
		onDial: (request) => void dialBack.handle(request),
		onMessage: (message) => {
			if (message.op === 'session_verify_request') return connection.send(vouch(message, deps.book, deps.identity))
			log.warn('relay asked to keep someone out', { user: message.user_id, session: message.session_id })
			const who = {
				...(message.user_id === undefined ? {} : { userId: message.user_id }),
				...(message.session_id === undefined ? {} : { sessionId: message.session_id }),
			}
			deps.book.suspend(who).catch((error: unknown) => log.error('suspension could not be stored', { reason: errorText(error) }))
			return undefined
		},
		onState: deps.onState,
	})
	connection.start()
	return {
		get state() {
			return connection.state
		},
		get address() {
			return connection.address
		},
		send: (message) => connection.send(message),
		stop: () => connection.stop(),
	}
}
