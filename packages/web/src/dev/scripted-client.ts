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
import { deviceIdFromHash, linkIdSchema, relayIdSchema } from '@sallyport/protocol'
import { parse } from 'valibot'
import { ada, bytesOf, draftDevices, draftNodes, draftTerminals, idOf } from './scripted-nodes.ts'
import { createScriptedShell, SESSION_REPLAY, scriptedLogin } from './scripted-shell.ts'

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
	const fail = (code: string, message: string) => Promise.reject(Object.assign(new Error(message), { code }))
	const connections = new Map<NodeId, Promise<NodeConnection>>()
	let terminals = draftTerminals(nowMs)
	let devices = draftDevices(nowMs)
	let tokens = [
		{
			id: 'tok1',
			name: 'ci-runner',
			scopes: ['nodes:read', 'nodes:open'] as const,
			created_at: nowMs - 30 * DAY,
			expires_at: nowMs + 60 * DAY,
			last_used_at: nowMs - 400_000,
		},
		{ id: 'tok2', name: 'fleet-enrol', scopes: ['nodes:enrol'] as const, created_at: nowMs - 100 * DAY, expires_at: nowMs - DAY },
	]

	const open = async (id: NodeId): Promise<NodeConnection> => {
		const node = nodes.find((one) => one.id === id)
		if (node === undefined) return fail('not_found', 'there is no such machine, or it is not shared with you')
		if (!node.connected) return fail('node_offline', 'the machine is not connected to the relay')
		if (!pairings.has(id)) return fail('not_paired', 'pair this browser with it first')
		const session = devices[0]
		if (session === undefined) return fail('session_gone', 'this browser was revoked there')
		let opened = 0
		const connection: NodeConnection = {
			nodeId: id,
			session,
			link: {
				id: parse(linkIdSchema, 'link_0001'),
				stats: { rttMs: 12, bytesSent: 0, bytesReceived: 0, streams: 0 },
				isOpen: true,
				ended: new Promise(() => {}),
				close() {},
				ready: {
					op: 'link_ready',
					link_id: parse(linkIdSchema, 'link_0001'),
					limits: { streams: 1024, link_window: 1, stream_window: 1 },
					session,
					node: { node_id: id, name: node.name, hostname: node.name, os: '', agent_version: '0.1.0' },
					endpoints: [],
				},
				openStream: () => {
					throw new Error('the preview has no streams')
				},
				request: () => fail('unsupported', 'the preview has no requests'),
				onNotice: () => () => {},
			},
			openTerminal: async () =>
				createScriptedShell(
					node.name,
					'ada',
					`terminal_${id.slice(0, 4)}_${++opened}`,
					node.name === 'build-box' ? SESSION_REPLAY : '',
				),
			attachTerminal: async (terminalId) => createScriptedShell(node.name, 'ada', terminalId, SESSION_REPLAY),
			openSsh: async (_size, login) =>
				createScriptedShell(
					node.name,
					await scriptedLogin(node.name, login, node.name === 'edge-fra-1'),
					'',
					'Linux 6.1.0 Debian\r\nLast login: today\r\n',
				),
			openExec: () => fail('unsupported', 'not in the preview'),
			openTcp: () => fail('unsupported', 'not in the preview'),
			terminals: async () => terminals,
			endTerminal: async (terminalId) => {
				terminals = terminals.filter((one) => one.terminal_id !== terminalId)
			},
			renameTerminal: async () => {},
			devices: async () => devices,
			revokeDevice: async (sessionId) => {
				devices = devices.filter((one) => one.session_id !== sessionId)
			},
			approvePairing: async (_requestId, digits) => (digits === '482177' ? '7305' : fail('wrong_code', 'wrong code')),
			denyPairing: async () => {},
			onNotice(listener) {
				if (scene === 'knock' && node.name === 'build-box') {
					setTimeout(() =>
						listener({
							op: 'pairing_request',
							request_id: 'request_1',
							device_name: 'Firefox on Windows',
							device_kind: 'browser',
							user: 'ada',
							address: '198.51.100.23',
							fingerprint: 'q7ka-2mnf',
							expires: Date.now() + 284_000,
						}),
					)
				}
				return () => {}
			},
		}
		return connection
	}

	const client: SallyClient = {
		origin: location.origin,
		deviceId: deviceIdFromHash(bytesOf('device')),
		fingerprint: 'k3vd-x5tq',
		api: {
			info: () =>
				scene === 'offline-relay'
					? fail('network', 'the relay at this address did not answer')
					: Promise.resolve({
							relay_id: parse(relayIdSchema, 'relay_0001'),
							origin: location.origin,
							version: '0.1.0',
							setup_needed: scene === 'setup' || scene === 'awaiting-owner',
						}),
			nodes: () =>
				scene === 'list-fails'
					? fail('unavailable', 'the relay’s database does not answer; it tries again by itself')
					: scene === 'loading'
						? new Promise(() => {})
						: Promise.resolve({ nodes, streamOffset: '0' }),
			async renameNode(id, name) {
				const node = nodes.find((one) => one.id === id)
				if (node === undefined) return fail('not_found', 'gone')
				put({ ...node, name })
				return { ...node, name }
			},
			removeNode: async () => {},
			connections: async () => [
				{
					id: 'c1',
					node_id: idOf('build-box'),
					node_name: 'build-box',
					user: { id: ada.id, username: 'ada' },
					client_address: '192.0.2.14',
					client_kind: 'web',
					opened_at: nowMs - 1_300_000,
					bytes_to_node: 48_211,
					bytes_to_client: 3_911_204,
				},
				{
					id: 'c2',
					node_id: idOf('build-box'),
					node_name: 'build-box',
					user: { id: ada.id, username: 'ada' },
					client_address: '198.51.100.7',
					client_kind: 'cli',
					opened_at: nowMs - 9_100_000,
					bytes_to_node: 812_004_112,
					bytes_to_client: 40_113_402,
				},
				{
					id: 'c3',
					node_id: idOf('db-primary'),
					node_name: 'db-primary',
					user: { id: ada.id, username: 'grace' },
					client_address: '203.0.113.80',
					client_kind: 'cli',
					opened_at: nowMs - 65_000,
					bytes_to_node: 902,
					bytes_to_client: 20_114,
				},
			],
			closeConnection: async () => {},
			createEnrolToken: () => fail('unsupported', 'not in the preview'),
			revokeEnrolToken: async () => {},
			tokens: async () => (scene === 'empty' ? [] : tokens),
			async createToken(request) {
				const info = {
					id: `tok${tokens.length + 1}`,
					name: request.name,
					scopes: request.scopes,
					created_at: nowMs,
					expires_at: nowMs + (request.expires_in_days ?? 90) * DAY,
				}
				tokens = [...tokens, info as (typeof tokens)[number]]
				return { token: 'sly_pat_3fK9aQ2LmXw7Vb1ZpR8cTn5YdHs0GjEu4iOoBqWkMxLvCzA6yPt', info }
			},
			async revokeToken(id) {
				tokens = tokens.filter((token) => token.id !== id)
			},
			accessSessions: async () => [
				{
					id: 's1',
					kind: 'web',
					device_name: 'Chromium on Linux',
					address: '192.0.2.14',
					created_at: nowMs - DAY,
					last_active_at: nowMs - 4000,
					expires_at: nowMs + 29 * DAY,
					current: true,
				},
				{
					id: 's2',
					kind: 'cli',
					device_name: 'sally on thinkpad',
					address: '198.51.100.7',
					created_at: nowMs - 5 * DAY,
					last_active_at: nowMs - 3_700_000,
					expires_at: nowMs + 25 * DAY,
					current: false,
				},
			],
			endAccessSession: async () => {},
			renameAccount: async (username) => ({ ...ada, username }),
			stats: () => fail('unsupported', 'not in the preview'),
			signOut: async () => {},
		},
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
