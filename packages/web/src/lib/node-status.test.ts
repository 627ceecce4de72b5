import type { NodeInfo, UserId } from '@sallyport/protocol'
import { nodeIdFromHash } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { filterNodes, nodeStatus } from './node-status.ts'

const now = 1_800_000_000_000

function node(fields: Partial<NodeInfo>): NodeInfo {
	return {
		id: nodeIdFromHash(new Uint8Array(32)),
		name: 'build-box',
		// Safe: a test's id; only schemas of the protocol make them in the product.
		owner: { id: 'user_0001' as UserId, username: 'ada' },
		created_at: 0,
		connected: false,
		links: 0,
		access: 'admin',
		...fields,
	}
}

describe('nodeStatus', () => {
	it('says for how long a machine has been there', () => {
		expect(nodeStatus(node({ connected: true, connected_at: now - 7_200_000 }), now)).toEqual({
			tone: 'online',
			label: 'Online',
			detail: 'for 2 h',
		})
	})

	it('counts no seconds, which would stand still', () => {
		expect(nodeStatus(node({ connected: true, connected_at: now - 4000 }), now).detail).toBe('for less than a minute')
	})

	it.each([
		['never_connected', 'never connected'],
		['lost', 'connection lost 3 min ago'],
		['stopped', 'agent stopped 3 min ago'],
		['revoked', 'its token was revoked: join it again'],
		['relay_restarting', 'the relay has just restarted'],
		['version_too_old', 'upgrade sally on this machine'],
	] as const)('gives the reason %s', (reason, detail) => {
		expect(nodeStatus(node({ offline_reason: reason, last_seen_at: now - 180_000 }), now).detail).toBe(detail)
	})
})

describe('filterNodes', () => {
	const nodes = [node({ name: 'web-10' }), node({ name: 'web-9' }), node({ name: 'db', os: 'Debian 12', connected: true })]

	it('puts machines that are online first and sorts numbers as numbers', () => {
		expect(filterNodes(nodes, '').map((one) => one.name)).toEqual(['db', 'web-9', 'web-10'])
	})

	it('needs every word, in any field', () => {
		expect(filterNodes(nodes, 'debian ONLINE').map((one) => one.name)).toEqual(['db'])
		expect(filterNodes(nodes, 'debian offline')).toEqual([])
	})
})
