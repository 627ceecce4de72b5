import type { DeviceSessionInfo } from '@sallyport/protocol'
import { LIMITS } from '@sallyport/protocol'
import type { Clock } from '../clock.ts'
import type { LinkDriver } from '../driver/link-driver.ts'
import type { LinkEnd } from '../link.ts'
import type { NodeLink, NodeLinkHandlers, ProvenDevice } from '../node-link.ts'
import type { SecureChannel } from '../secure-channel/secure-channel.ts'

/** A link at the node, with what the acceptor keeps of it. */
export interface AcceptedLink {
	readonly link: NodeLink
	/** The attempt of the last resume: only higher ones are taken. */
	lastAttempt: number
	start(handlers: NodeLinkHandlers): void
	/** Puts the link on a connection, which may last `LIMITS.connectionMaxMs`. */
	attach(channel: SecureChannel, options: { readonly early?: readonly Uint8Array[]; readonly peerReceived?: number }): void
	freeze(): number
}

export interface NodeLinkOptions {
	readonly driver: LinkDriver
	readonly device: ProvenDevice
	readonly session: DeviceSessionInfo
	readonly clock: Clock
	readonly onEnd: () => void
}

export function createNodeLink(options: NodeLinkOptions): AcceptedLink {
	const { driver, device, session, clock, onEnd } = options
	let settle: (end: LinkEnd) => void = () => undefined
	const ended = new Promise<LinkEnd>((resolve) => {
		settle = resolve
	})
	let cancelLimit: (() => void) | undefined
	const end = (reason: LinkEnd): void => {
		cancelLimit?.()
		onEnd()
		settle(reason)
	}
	const link: NodeLink = {
		id: driver.id,
		device,
		session,
		openedAtMs: clock.nowMs(),
		ended,
		get isOpen() {
			return driver.end === undefined
		},
		get stats() {
			return driver.stats
		},
		send: (message) => driver.send(message),
		close: (code, message) => driver.close(code, message),
	}
	return {
		link,
		lastAttempt: 0,
		start(handlers) {
			driver.setHandlers({
				onStream: (stream, request, accept) => handlers.onStream({ stream, request, accept: (fields = {}) => accept(fields) }),
				onRequest: (message) => handlers.onRequest(message),
				onEnd: end,
			})
		},
		attach(channel, attachOptions) {
			cancelLimit?.()
			cancelLimit = clock.setTimer(LIMITS.connectionMaxMs, () =>
				driver.close('closed_by_node', 'the connection has reached its longest life'),
			)
			driver.attach(channel, attachOptions)
		},
		freeze: () => driver.freeze(),
	}
}
