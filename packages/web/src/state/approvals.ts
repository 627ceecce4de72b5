import type { NodeConnection, SallyClient } from '@sallyport/client'
import type { NodeId, NodeInfo, PairingRequest } from '@sallyport/protocol'
import { createStore } from 'zustand/vanilla'
import type { NodesModel } from './nodes.ts'

/** Somebody asks to be let in at a node that this browser is paired with. */
export interface PendingApproval {
	readonly nodeId: NodeId
	readonly nodeName: string
	readonly request: PairingRequest
	readonly connection: NodeConnection
}

export interface ApprovalsDeps {
	readonly client: SallyClient
	readonly nodes: NodesModel
	/** A device was paired with one of this browser's nodes. */
	readonly onDevicePaired: (nodeName: string, deviceName: string) => void
}

/** Links held open only to hear who knocks; the relay lets a user open ten new links a minute. */
const MAX_LISTENING_LINKS = 4

/** Hears what nodes tell this browser: requests to be let in, and pairings that were made. */
export function createApprovals({ client, nodes, onDevicePaired }: ApprovalsDeps) {
	const store = createStore<{ readonly pending: readonly PendingApproval[] }>(() => ({ pending: [] }))
	const listening = new Map<NodeId, NodeConnection>()
	const tried = new Set<NodeId>()
	let stopNodes: (() => void) | undefined

	const remove = (requestId: string) =>
		store.setState(({ pending }) => ({ pending: pending.filter((one) => one.request.request_id !== requestId) }))

	const model = {
		store,
		/** Hears the notices of a connection; idempotent for each. */
		listen(connection: NodeConnection, nodeName: string): void {
			const { nodeId } = connection
			if (listening.get(nodeId) === connection) return
			listening.set(nodeId, connection)
			connection.onNotice((notice) => {
				if (notice.op === 'pairing_request') {
					remove(notice.request_id)
					store.setState(({ pending }) => ({ pending: [...pending, { nodeId, nodeName, request: notice, connection }] }))
				} else if (notice.op === 'pairing_ended') remove(notice.request_id)
				else if (notice.op === 'device_paired' && !notice.session.current) onDevicePaired(nodeName, notice.session.device_name)
			})
			void connection.link.ended.then(() => {
				if (listening.get(nodeId) === connection) listening.delete(nodeId)
				tried.delete(nodeId)
				store.setState(({ pending }) => ({ pending: pending.filter((one) => one.connection !== connection) }))
			})
		},
		/** Keeps links to a few paired machines, which also lets their terminals open at once. */
		start(): void {
			if (stopNodes !== undefined) return
			const reach = () => {
				const { nodes: all, pairings } = nodes.store.getState()
				for (const node of all.values()) {
					if (tried.size >= MAX_LISTENING_LINKS) return
					if (node.connected && pairings.has(node.id) && !tried.has(node.id)) void reachNode(node)
				}
			}
			stopNodes = nodes.store.subscribe(reach)
			reach()
		},
		stop(): void {
			stopNodes?.()
			stopNodes = undefined
			tried.clear()
			listening.clear()
			store.setState({ pending: [] })
		},
		dismiss: remove,
	}

	async function reachNode(node: NodeInfo): Promise<void> {
		tried.add(node.id)
		try {
			model.listen(await client.connect(node.id), node.name)
		} catch {
			// Only a courtesy: opening a terminal there tells its person what is wrong.
		}
	}
	return model
}
export type ApprovalsModel = ReturnType<typeof createApprovals>
