import type {
	ApprovalRequest,
	ApprovalState,
	NodeConnection,
	NodeWatch,
	PageSession,
	Pairing,
	SallyClient,
} from '@sallyport/client'
import type { NodeId, NodeInfo } from '@sallyport/protocol'
import { deviceIdFromHash } from '@sallyport/protocol'
import { createScriptedApi } from './scripted-api.ts'
import { createOpen } from './scripted-connection.ts'
import { ada, bytesOf, draftNodes, fail, idOf } from './scripted-nodes.ts'

/** What the preview shows; each is a query parameter `?scene=…`. */
export type Scene =
	| 'app'
	| 'setup'
	| 'signed-out'
	| 'empty'
	| 'single'
	| 'offline-relay'
	| 'loading'
	| 'list-fails'
	| 'awaiting-owner'
	| 'knock'
	| 'interrupted'

const DAY = 86_400_000

export function createScriptedClient(
	scene: Scene,
	nowMs: number,
): { readonly client: SallyClient; readonly pageSession: PageSession } {
	const all = draftNodes(nowMs)
	let nodes: readonly NodeInfo[] =
		scene === 'empty'
			? []
			: scene === 'single' || scene === 'setup'
				? all.slice(0, 1).map((node) => ({ ...node, links: 0 }))
				: all
	const watches = new Set<NodeWatch>()
	const pairings = new Map<NodeId, Pairing>()
	const pair = (node: Pick<NodeInfo, 'id' | 'name'>, pairedBy: Pairing['pairedBy']): Pairing => {
		const pairing = {
			nodeId: node.id,
			nodeName: node.name,
			fingerprint: `${node.id.slice(0, 4)}-${node.id.slice(4, 8)}`,
			pairedAtMs: nowMs - 20 * DAY,
			pairedBy,
		}
		pairings.set(node.id, pairing)
		return pairing
	}
	if (scene !== 'setup') for (const node of nodes.filter((one) => one.name !== 'gpu-lab')) pair(node, 'join')
	const put = (node: NodeInfo) => {
		nodes = [...nodes.filter((one) => one.id !== node.id), node]
		for (const watch of watches) watch({ type: 'node', node })
	}
	// `?drops`: once a shell was cut, no machine can be reached any more.
	let isCut = false
	const drop = () => {
		isCut = new URLSearchParams(location.search).has('drops')
	}
	const connections = new Map<NodeId, Promise<NodeConnection>>()

	const open = createOpen({
		scene,
		findNode: (id) => nodes.find((one) => one.id === id),
		isPaired: (id) => pairings.has(id),
		onCut: drop,
		nowMs,
	})

	const client: SallyClient = {
		origin: location.origin,
		deviceId: deviceIdFromHash(bytesOf('device')),
		fingerprint: 'k3vd-x5tq',
		api: createScriptedApi({ scene, nowMs, nodes: () => nodes, put }),
		watchNodes(watch) {
			watches.add(watch)
			if (scene === 'loading') return () => {}
			setTimeout(() => {
				if (scene === 'list-fails') return watch({ type: 'interrupted', reason: 'no list' })
				for (const node of nodes) watch({ type: 'node', node })
				watch({ type: 'live' })
				if (scene === 'interrupted') watch({ type: 'interrupted', reason: 'the relay went silent' })
			})
			return () => watches.delete(watch)
		},
		pairings: async () => [...pairings.values()],
		forgetPairing: async (id) => void pairings.delete(id),
		connect(id) {
			if (isCut) return fail('node_offline', 'the machine is not connected to the relay')
			const known = connections.get(id)
			if (known !== undefined) return known
			const opening = open(id)
			connections.set(id, opening)
			opening.catch(() => connections.delete(id))
			return opening
		},
		pairByInvite: async (invite) => pair({ id: invite.node_id, name: invite.node_name }, 'invite'),
		async createJoin() {
			const node: NodeInfo = { ...(all[2] ?? fresh()), id: idOf('new-box'), name: 'new-box', links: 0 }
			return {
				command:
					'sally agent join sly_join_v1.sly_enrol_8dKq2ZtWmP4vXw8sZn5cJd1hFy7gUe3oAi6tRkQxNlEbT4rKq9LmP2vXw8sZn5cJdA1.eyJvcCI6ImJ1bmRsZSIsIm9yaWdpbiI6Imh0dHBzOi8vcmVsYXkuZXhhbXBsZSIsInJlbGF5X2lkIjoiT3lZc0tqM1FfOTR4IiwidXNlciI6ImFkYSIsInNlY3JldCI6Im1OOF9rUWJ4N1ZxOXhaS1N0cjJsdUE0bzB5RGVIZ2ZQMWl3VXZXQ2pSc0UifQ',
				tokenId: 'enrol_1',
				expiresAtMs: Date.now() + DAY - 61_000,
				joined: new Promise((resolve) => {
					if (new URLSearchParams(location.search).has('joins')) {
						setTimeout(() => {
							pair(node, 'join')
							put(node)
							resolve(node)
						}, 1500)
					}
				}),
				cancel: async () => {},
			}
		},
		async resumeJoins() {},
		requestApproval: (id) =>
			scriptedApproval(() => pair({ id, name: nodes.find((node) => node.id === id)?.name ?? '' }, 'approve')),
		close() {},
	}

	function fresh(): NodeInfo {
		throw new Error('the preview has no third machine')
	}

	const pageSession: PageSession = {
		setUp: async (request) => ({ ...ada, email: request.email, username: request.username }),
		signIn: async (_email, password) => (password === 'wrong' ? fail('unauthenticated', 'e-mail or password is wrong') : ada),
		changePassword: async () => {},
		resume: async () => (scene === 'signed-out' ? undefined : { access_token: 'x', expires_at: nowMs + 600_000, user: ada }),
	}
	return { client, pageSession }
}

function scriptedApproval(pair: () => Pairing): ApprovalRequest {
	const listeners = new Set<(state: ApprovalState) => void>()
	const tell = (state: ApprovalState) => {
		for (const listener of listeners) listener(state)
	}
	const expiresAtMs = Date.now() + 297_000
	const pick = new URLSearchParams(location.search)
	const timers = [
		setTimeout(() => tell({ kind: 'code', code: '482177', expiresAtMs }), 150),
		...(pick.has('approves') ? [setTimeout(() => tell({ kind: 'approved' }), 600)] : []),
	]
	return {
		code: Promise.resolve('482177'),
		expiresAtMs: Promise.resolve(expiresAtMs),
		onState: (listener) => {
			listeners.add(listener)
			return () => listeners.delete(listener)
		},
		async confirm(code) {
			if (code !== '7305') return false
			pair()
			tell({ kind: 'paired' })
			return true
		},
		paired: new Promise(() => {}),
		cancel: () => timers.forEach(clearTimeout),
	}
}
