import type { CloseCode } from '@sallyport/protocol'
import { CLOSE, LIMITS } from '@sallyport/protocol'
import type { MessageSocket, SocketClose } from '@sallyport/transport'

/** Two sockets joined: what comes in at one goes out at the other, unread. */
export interface Splice {
	readonly bytesToNode: number
	readonly bytesToClient: number
	/** Ends both sides with one code, also while the rest of a closed side is still on its way; idempotent. */
	close(close: CloseCode, reason?: string): void
}

export interface SpliceOptions {
	/** Once, when nothing more can pass: what one side sent before it closed has left by then. */
	readonly onEnd: (code: number) => void
}

/** One way through a splice. Never more than the high mark and one read of messages is held. */
class Flow {
	readonly from: MessageSocket
	readonly to: MessageSocket
	bytes = 0
	#isHeld = false

	constructor(from: MessageSocket, to: MessageSocket) {
		this.from = from
		this.to = to
	}

	pass(bytes: Uint8Array): void {
		this.bytes += bytes.length
		this.to.sendBinary(bytes)
		if (this.#isHeld || this.to.bufferedBytes <= LIMITS.spliceHighBytes) return
		this.#isHeld = true
		this.from.pause()
		this.to.onceDrained(LIMITS.spliceLowBytes, () => {
			this.#isHeld = false
			this.from.resume()
		})
	}
}

/**
 * Joins two open sockets until one ends; its close code is passed across once what it sent has left. That an end which
 * takes nothing is cut after 60 s is the heartbeat's work.
 */
export function splice(client: MessageSocket, node: MessageSocket, options: SpliceOptions): Splice {
	const toNode = new Flow(client, node)
	const toClient = new Flow(node, client)
	let state: 'open' | 'draining' | 'ended' = 'open'

	const end = (code: number, act: () => void): void => {
		if (state === 'ended') return
		state = 'ended'
		act()
		options.onEnd(code)
	}
	const closeBoth = (close: CloseCode, reason: string = close.message): void =>
		end(close.code, () => {
			client.close(close.code, reason)
			node.close(close.code, reason)
		})
	const pass = (flow: Flow, close: SocketClose): void => {
		if (state !== 'open') return end(close.code, () => undefined)
		state = 'draining'
		return flow.to.onceDrained(0, () => end(close.code, () => flow.to.close(sendableCode(close.code), close.reason)))
	}
	const join = (flow: Flow): void =>
		flow.from.setHandlers({
			onText: () => closeBoth(CLOSE.badRequest, 'text came on a socket that carries records'),
			onBinary: (bytes) => flow.pass(bytes),
			onClose: (close) => pass(flow, close),
		})
	join(toNode)
	join(toClient)

	return {
		get bytesToNode() {
			return toNode.bytes
		},
		get bytesToClient() {
			return toClient.bytes
		},
		close: closeBoth,
	}
}

/** 1005 (none given) and 1006 (lost) can't be sent: 1001 says that the other side has gone away. */
function sendableCode(code: number): number {
	if (code === 1005) return 1000
	return code === 1006 || code === 1015 ? 1001 : code
}
