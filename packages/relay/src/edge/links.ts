import { randomUUID } from 'node:crypto'
import type { CloseCode, ConnectionInfo, NodeId } from '@sallyport/protocol'
import { CLOSE } from '@sallyport/protocol'
import type { Heartbeat, HeartbeatListener, NodeMessageSocket } from '@sallyport/transport/node'
import type { NodeRecord, Principal } from '../control-plane.ts'
import type { LiveConnection } from '../edge-view.ts'
import type { Splice } from './splice.ts'
import { splice } from './splice.ts'

interface Link {
	readonly id: string
	readonly node: NodeRecord
	readonly principal: Principal
	readonly clientAddress: string
	readonly openedAtMs: number
	readonly splice: Splice
}

export interface LinkRequest {
	readonly node: NodeRecord
	readonly principal: Principal
	readonly clientAddress: string
	readonly client: NodeMessageSocket
	readonly agent: NodeMessageSocket
	/** Once, when the link is over. */
	readonly onEnd: () => void
}

export interface LinksOptions {
	readonly heartbeat: Heartbeat
	readonly nowMs: () => number
	readonly onCount: (nodeId: NodeId, change: 1 | -1) => void
}

/** The links that pass through this relay now. */
export class Links {
	readonly #links = new Map<string, Link>()
	readonly #options: LinksOptions
	/** Of links that are over. */
	#pastBytesToNodes = 0
	#pastBytesToClients = 0

	constructor(options: LinksOptions) {
		this.#options = options
	}

	/** Splices two open sockets and keeps count until either ends. */
	open(request: LinkRequest): Splice {
		const { node, principal, clientAddress, client, agent } = request
		const id = randomUUID()
		const joined = splice(client, agent, { onEnd: () => this.#end(id, request) })
		this.#links.set(id, { id, node, principal, clientAddress, openedAtMs: this.#options.nowMs(), splice: joined })
		const listener: HeartbeatListener = {
			onDead: (end) => {
				if (end === 'stalled') joined.close(CLOSE.tooSlow)
			},
		}
		this.#options.heartbeat.add(client, listener)
		this.#options.heartbeat.add(agent, listener)
		this.#options.onCount(node.id, 1)
		return joined
	}

	get count(): number {
		return this.#links.size
	}

	get bytesToNodes(): number {
		return [...this.#links.values()].reduce((sum, link) => sum + link.splice.bytesToNode, this.#pastBytesToNodes)
	}

	get bytesToClients(): number {
		return [...this.#links.values()].reduce((sum, link) => sum + link.splice.bytesToClient, this.#pastBytesToClients)
	}

	list(): readonly LiveConnection[] {
		return [...this.#links.values()].map((link) => ({
			info: infoOf(link),
			nodeId: link.node.id,
			nodeOwnerId: link.node.owner?.id,
		}))
	}

	/** Cuts one link because a person wants it. */
	cut(id: string): boolean {
		const link = this.#links.get(id)
		link?.splice.close(CLOSE.forbidden, 'this connection was ended by its user or by the owner of the machine')
		return link !== undefined
	}

	closeOfNode(nodeId: NodeId, close: CloseCode): void {
		for (const link of [...this.#links.values()]) if (link.node.id === nodeId) link.splice.close(close)
	}

	close(close: CloseCode): void {
		for (const link of [...this.#links.values()]) link.splice.close(close)
	}

	#end(id: string, request: LinkRequest): void {
		const link = this.#links.get(id)
		if (link === undefined) return
		this.#links.delete(id)
		this.#pastBytesToNodes += link.splice.bytesToNode
		this.#pastBytesToClients += link.splice.bytesToClient
		this.#options.onCount(link.node.id, -1)
		request.onEnd()
	}
}

function infoOf(link: Link): ConnectionInfo {
	return {
		id: link.id,
		node_id: link.node.id,
		node_name: link.node.name,
		user: { id: link.principal.user.id, username: link.principal.user.username },
		client_address: link.clientAddress,
		client_kind: link.principal.kind,
		opened_at: link.openedAtMs,
		bytes_to_node: link.splice.bytesToNode,
		bytes_to_client: link.splice.bytesToClient,
	}
}
