import type { RelayApi } from '@sallyport/client'
import type { NodeInfo } from '@sallyport/protocol'
import { formatToken, relayIdSchema, TOKEN_RANDOM_BYTES, tokenFromRandom } from '@sallyport/protocol'
import { parse } from 'valibot'
import type { Scene } from './scripted-client.ts'
import { ada, fail, idOf } from './scripted-nodes.ts'

const DAY = 86_400_000

export interface ScriptedApiDeps {
	readonly scene: Scene
	readonly nowMs: number
	readonly nodes: () => readonly NodeInfo[]
	readonly put: (node: NodeInfo) => void
}

/** The relay's answers in the preview. */
export function createScriptedApi({ scene, nowMs, nodes, put }: ScriptedApiDeps): RelayApi {
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
	return {
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
					: Promise.resolve({ nodes: nodes(), streamOffset: '0' }),
		async renameNode(id, name) {
			const node = nodes().find((one) => one.id === id)
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
			return { token: formatToken(tokenFromRandom('pat', crypto.getRandomValues(new Uint8Array(TOKEN_RANDOM_BYTES)))), info }
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
	}
}
