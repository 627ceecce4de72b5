import type { NodeConnection, Pairing } from '@sallyport/client'
import type { CommandClient, DirectClient } from '@sallyport/client/node'
import type { NodeId, NodeInfo } from '@sallyport/protocol'

/** Where links come from: the relay that is signed in to, or one machine's own address. */
export interface LinkSource {
	pairings(): Promise<readonly Pairing[]>
	/** What names are looked up in. */
	nodes(): Promise<readonly Pick<NodeInfo, 'id' | 'name'>[]>
	connect(id: NodeId): Promise<NodeConnection>
	/** Whether this machine has come by the line of a `sally add` that was ended before, and is paired now. */
	hasArrived(id: NodeId): Promise<boolean>
	close(): void
}

export function relaySource(client: CommandClient): LinkSource {
	const nodes = async (): Promise<readonly NodeInfo[]> => (await client.api.nodes()).nodes
	return {
		pairings: () => client.pairings(),
		nodes,
		connect: (id) => client.connect(id),
		hasArrived: async (id) => (await client.pairArrived(await nodes())).some((node) => node.id === id),
		close: () => client.close(),
	}
}

/** Only what is paired can be named: there is nobody to ask for more. */
export function directSource(client: DirectClient): LinkSource {
	return {
		pairings: () => client.pairings(),
		nodes: async () => (await client.pairings()).map((pairing) => ({ id: pairing.nodeId, name: pairing.nodeName })),
		connect: (id) => client.connect(id),
		hasArrived: async () => false,
		close: () => client.close(),
	}
}
