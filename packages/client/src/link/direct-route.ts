import type { Clock } from '@sallyport/carrier'
import { LIMITS, type NodeId, parseServerMessage } from '@sallyport/protocol'
import type { MessageSocket } from '@sallyport/transport'
import { ClientError } from '../errors.ts'
import { openHop } from '../hop/open-hop.ts'
import type { Dial, Route } from './route.ts'

export interface DirectRouteDeps {
	/** The whole address of the machine's own socket, `ws://` or `wss://`. */
	readonly url: string
	readonly dial: Dial
	readonly clock: Clock
}

/**
 * Straight to the machine's own listener. It may be a stranger's: hello tells the version alone, and who answers is proven
 * by the handshake inside.
 */
export function createDirectRoute(deps: DirectRouteDeps): Route {
	return async (nodeId, signal) => {
		const socket = await dialDirect(deps, signal)
		try {
			await openHop(socket, { nodeId, clock: deps.clock, signal })
			return socket
		} catch (error) {
			socket.close(1000, '')
			throw error
		}
	}
}

/** Asks an address which machine it is: a claim, until a handshake has proven it. */
export async function askWhoAnswers(deps: DirectRouteDeps, signal: AbortSignal): Promise<NodeId> {
	const socket = await dialDirect(deps, signal)
	try {
		return await claimedNode(socket, deps.clock)
	} finally {
		socket.close(1000, '')
	}
}

async function dialDirect({ url, dial }: DirectRouteDeps, signal: AbortSignal): Promise<MessageSocket> {
	try {
		return await dial(url, signal)
	} catch (caught) {
		const error = ClientError.from(caught)
		if (error.code !== 'forbidden') throw error
		throw new ClientError(
			'forbidden',
			'the machine does not take that host name: use its address, or list the name there in ALLOWED_HOSTS',
			{ cause: error },
		)
	}
}

function claimedNode(socket: MessageSocket, clock: Clock): Promise<NodeId> {
	return new Promise((resolve, reject) => {
		const fail = (code: 'timed_out' | 'answer_invalid', message: string): void => {
			cancel()
			reject(new ClientError(code, message))
		}
		const cancel = clock.setTimer(LIMITS.helloMs, () => fail('timed_out', 'nothing that speaks as a machine answers there'))
		const notMachine = (): void => fail('answer_invalid', 'what answers there is not the own address of a machine')
		socket.setHandlers({
			onText: (text) => {
				const message = parseServerMessage(text)
				if (!message.ok || message.value.op !== 'auth_required' || message.value.node_id === undefined) return notMachine()
				cancel()
				return resolve(message.value.node_id)
			},
			onBinary: notMachine,
			onClose: notMachine,
		})
	})
}
