import type { Pairing, SallyClient } from '@sallyport/client'
import type { NodeEvent, NodeId, NodeInfo } from '@sallyport/protocol'
import { createStore } from 'zustand/vanilla'
import type { Problem } from '../lib/problem.ts'
import { sentence, toProblem } from '../lib/problem.ts'

export interface NodesState {
	readonly nodes: ReadonlyMap<NodeId, NodeInfo>
	readonly pairings: ReadonlyMap<NodeId, Pairing>
	/** `loading` only before the first list; `interrupted`: what is shown may be old. */
	readonly feed:
		| { readonly kind: 'loading' }
		| { readonly kind: 'live' }
		| { readonly kind: 'interrupted'; readonly reason: string }
		| { readonly kind: 'failed'; readonly problem: Problem }
}

export interface NodesDeps {
	readonly client: Pick<SallyClient, 'watchNodes' | 'pairings'> & { readonly api: Pick<SallyClient['api'], 'nodes'> }
	readonly onProblem: (problem: Problem) => void
}

/** The machines, live. */
export function createNodes({ client, onProblem }: NodesDeps) {
	const store = createStore<NodesState>(() => ({ nodes: new Map(), pairings: new Map(), feed: { kind: 'loading' } }))
	let stopWatch: (() => void) | undefined
	/** Ids told of by events while a list was on its way: the event is the newer word. */
	let touched = new Set<NodeId>()

	const apply = (event: NodeEvent) => {
		const nodes = new Map(event.type === 'reset' ? [] : store.getState().nodes)
		if (event.type === 'node') nodes.set(event.node.id, event.node)
		else if (event.type === 'node_removed') nodes.delete(event.id)
		if (event.type !== 'reset') touched.add(event.type === 'node' ? event.node.id : event.id)
		store.setState({ nodes })
	}

	const model = {
		store,
		start(): void {
			if (stopWatch !== undefined) return
			stopWatch = client.watchNodes((event) => {
				switch (event.type) {
					case 'node':
					case 'node_removed':
					case 'reset':
						return apply(event)
					case 'live':
						// The list has been told by now, empty or not.
						return store.setState({ feed: { kind: 'live' } })
					case 'interrupted':
						if (store.getState().feed.kind === 'live')
							store.setState({ feed: { kind: 'interrupted', reason: sentence(event.reason) } })
						// Asks once more, to learn whether the sign-in is over, or what else is wrong.
						void model.refresh()
				}
			})
			void model.refreshPairings()
		},
		stop(): void {
			stopWatch?.()
			stopWatch = undefined
			store.setState({ nodes: new Map(), pairings: new Map(), feed: { kind: 'loading' } })
		},
		async refresh(): Promise<void> {
			touched = new Set()
			try {
				const answer = await client.api.nodes()
				const newer = store.getState().nodes
				const nodes = new Map(answer.nodes.map((node) => [node.id, node]))
				for (const id of touched) {
					const node = newer.get(id)
					if (node === undefined) nodes.delete(id)
					else nodes.set(id, node)
				}
				const { feed } = store.getState()
				store.setState({ nodes, feed: feed.kind === 'interrupted' ? feed : { kind: 'live' } })
			} catch (error) {
				const problem = toProblem(error)
				onProblem(problem)
				if (store.getState().nodes.size === 0) store.setState({ feed: { kind: 'failed', problem } })
			}
		},
		async refreshPairings(): Promise<void> {
			const pairings = await client.pairings()
			store.setState({ pairings: new Map(pairings.map((pairing) => [pairing.nodeId, pairing])) })
		},
		/** Shows at once what the relay has just answered. */
		put(node: NodeInfo): void {
			apply({ type: 'node', node })
		},
		drop(id: NodeId): void {
			apply({ type: 'node_removed', id })
		},
	}
	return model
}
export type NodesModel = ReturnType<typeof createNodes>
