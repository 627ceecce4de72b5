import type { Clock } from '@sallyport/carrier'
import type { NodeId } from '@sallyport/protocol'
import type { MessageSocket } from '@sallyport/transport'
import { ClientError } from '../errors.ts'
import { openHop } from '../hop/open-hop.ts'
import type { Credential } from '../http/credential.ts'
import type { Dial, Route } from './route.ts'

export interface RelayRouteDeps {
	/** The relay's origin and path prefix, without a trailing slash. */
	readonly origin: string
	readonly dial: Dial
	readonly credential: Credential
	/** Pinned at sign-in, where that is kept. */
	readonly relayId?: string
	readonly clock: Clock
}

/** Through the relay; with a new credential once, should the relay no longer take the old one. */
export function createRelayRoute(deps: RelayRouteDeps): Route {
	return async (nodeId, signal) => {
		try {
			return await dialOnce(deps, nodeId, signal)
		} catch (caught) {
			const error = ClientError.from(caught)
			if (error.code !== 'unauthenticated') throw error
			if (!deps.credential.renewAfterRefusal('')) throw error
			return dialOnce(deps, nodeId, signal)
		}
	}
}

async function dialOnce(deps: RelayRouteDeps, nodeId: NodeId, signal: AbortSignal): Promise<MessageSocket> {
	const { origin, credential, relayId, clock } = deps
	const url = `${origin.replace(/^http/, 'ws')}/api/web/ws`
	const socket = await deps.dial(url, signal).catch((error: unknown) => Promise.reject(ClientError.from(error)))
	try {
		const hello = await credential.hello()
		await openHop(socket, { nodeId, credential: hello, clock, signal, ...(relayId === undefined ? {} : { relayId }) })
		return socket
	} catch (error) {
		socket.close(1000, '')
		throw error
	}
}
