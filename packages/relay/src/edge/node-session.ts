import type { CloseCode, HopMessage, NodeId, NodeMessage } from '@sallyport/protocol'
import { CLOSE, encodeMessage, LIMITS, parseNodeMessage } from '@sallyport/protocol'
import type { NodeMessageSocket } from '@sallyport/transport/node'
import type { NodeRecord } from '../control-plane.ts'
import type { EdgeContext } from './context.ts'
import type { DialOrder, NodeConnection } from './presence.ts'

export interface NodeSessionOptions {
	readonly socket: NodeMessageSocket
	readonly record: NodeRecord
	readonly origin: string
	readonly address: string
}

/** One proven agent on its control socket. There are thousands: no timers and few closures of its own. */
export class NodeSession implements NodeConnection {
	readonly record: NodeRecord
	readonly origin: string
	readonly address: string
	readonly #context: EdgeContext
	readonly #socket: NodeMessageSocket
	#isStopping = false

	constructor(context: EdgeContext, options: NodeSessionOptions) {
		this.#context = context
		this.#socket = options.socket
		this.record = options.record
		this.origin = options.origin
		this.address = options.address
	}

	get nodeId(): NodeId {
		return this.record.id
	}

	start(): void {
		this.#context.heartbeat.add(this.#socket, {
			onRtt: (rttMs) => this.#context.presence.update(this, { latencyMs: Math.round(rttMs * 100) / 100 }),
		})
		this.#socket.setHandlers({
			onText: (text) => this.#receive(text),
			onBinary: () => this.close(CLOSE.badRequest, 'binary data came on a control socket'),
			onClose: () => this.#ended(),
		})
	}

	dial(order: DialOrder): void {
		this.#send({
			op: 'dial',
			link_ticket: order.linkTicket,
			origin: this.origin,
			user: order.user,
			client_address: order.clientAddress.slice(0, 64),
			expires: order.expiresAtMs,
		})
	}

	close(close: CloseCode, reason: string = close.message): void {
		this.#send({ op: 'refused', code: close.name, reason: reason.slice(0, 512) })
		this.#socket.close(close.code, reason)
		this.#ended()
	}

	#send(message: HopMessage): void {
		// An agent that takes nothing must not make the relay keep what is meant for it.
		if (this.#socket.bufferedBytes > LIMITS.spliceLowBytes) this.#socket.terminate()
		else this.#socket.sendText(encodeMessage(message))
	}

	#receive(text: string): void {
		const parsed = parseNodeMessage(text)
		if (!parsed.ok) return this.close(CLOSE.badRequest, parsed.error.detail)
		return this.#handle(parsed.value)
	}

	#handle(message: NodeMessage): void {
		switch (message.op) {
			case 'hello':
				return this.close(CLOSE.badRequest, 'hello came twice')
			case 'heartbeat':
				return this.#context.presence.update(this, { stats: message.stats })
			case 'dial_failed':
				return this.#context.tickets.fail(this.nodeId, message.ticket_id, plainText(message.reason))
			case 'stopping':
				this.#isStopping = true
				return undefined
			// Nothing here asks a node to vouch, and the splice sees for itself when a link closes.
			case 'session_verify_response':
			case 'session_revoked':
			case 'link_closed':
				return undefined
		}
	}

	#ended(): void {
		const { presence, control, tickets, heartbeat, bookkeeping, log } = this.#context
		heartbeat.remove(this.#socket)
		if (!presence.disconnect(this, this.#isStopping)) return
		tickets.failAll(this.nodeId, 'it lost its connection to the relay')
		log.info('node disconnected', { nodeId: this.nodeId, stopping: this.#isStopping })
		const write = control
			.markNodeDisconnected(this.nodeId, this.#isStopping)
			.catch((error: unknown) => {
				log.error('could not note that a node disconnected', { nodeId: this.nodeId, error: String(error) })
			})
			.finally(() => bookkeeping.delete(write))
		bookkeeping.add(write)
	}
}

/** What a node says is hostile text: control characters never reach a terminal or a log. */
function plainText(text: string): string {
	return text.replace(/\p{C}/gu, ' ').trim()
}
