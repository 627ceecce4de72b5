import type { NodeWatch, SallyClient } from '@sallyport/client'
import type { NodeInfo, UserId } from '@sallyport/protocol'
import { nodeIdFromHash } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import type { Problem } from '../lib/problem.ts'
import { createNodes } from './nodes.ts'

const id = (byte: number) => nodeIdFromHash(new Uint8Array(32).fill(byte))

function node(byte: number, fields: Partial<NodeInfo> = {}): NodeInfo {
	// Safe: a test's user id; only schemas of the protocol make them in the product.
	const owner = { id: 'user_0001' as UserId, username: 'ada' }
	return { id: id(byte), name: `node-${byte}`, owner, created_at: 0, connected: true, links: 0, access: 'admin', ...fields }
}

function createModel(list: () => Promise<readonly NodeInfo[]>) {
	let watch: NodeWatch = () => {}
	const problems: Problem[] = []
	const client: Pick<SallyClient, 'watchNodes' | 'pairings'> & { api: Pick<SallyClient['api'], 'nodes'> } = {
		api: { nodes: async () => ({ nodes: await list(), streamOffset: '0' }) },
		watchNodes: (next) => {
			watch = next
			return () => {}
		},
		pairings: async () => [],
	}
	const model = createNodes({ client, onProblem: (problem) => problems.push(problem) })
	model.start()
	return {
		model,
		tell: (...events: Parameters<NodeWatch>[0][]) => events.forEach((event) => watch(event)),
		problems,
		state: model.store.getState,
	}
}

describe('nodes', () => {
	it('is loading until the feed is live, be the list empty or not', () => {
		const { tell, state } = createModel(async () => [])
		expect(state().feed.kind).toBe('loading')
		tell({ type: 'live' })
		expect(state()).toMatchObject({ feed: { kind: 'live' }, nodes: { size: 0 } })
	})

	it('follows machines that come, change and go', () => {
		const { tell, state } = createModel(async () => [])
		tell(
			{ type: 'node', node: node(1) },
			{ type: 'node', node: node(2) },
			{ type: 'live' },
			{ type: 'node', node: node(1, { connected: false }) },
		)
		tell({ type: 'node_removed', id: id(2) })
		expect([...state().nodes.values()]).toEqual([node(1, { connected: false })])
	})

	it('keeps what it showed while the feed is interrupted', async () => {
		const { tell, state } = createModel(async () => [node(1)])
		tell({ type: 'node', node: node(1) }, { type: 'live' }, { type: 'interrupted', reason: 'the relay went silent' })
		await Promise.resolve()
		expect(state()).toMatchObject({ feed: { kind: 'interrupted', reason: 'The relay went silent.' }, nodes: { size: 1 } })
		tell({ type: 'live' })
		expect(state().feed.kind).toBe('live')
	})

	it('says what is wrong when there never was a list', async () => {
		const refused = Object.assign(new Error('sign in again'), { code: 'unauthenticated' })
		const { model, tell, state, problems } = createModel(() => Promise.reject(refused))
		tell({ type: 'interrupted', reason: 'refused' })
		await model.refresh()
		expect(state().feed).toMatchObject({ kind: 'failed', problem: { code: 'unauthenticated' } })
		expect(problems[0]?.code).toBe('unauthenticated')
	})

	it('believes an event over a list that was asked for before it', async () => {
		let answer: (nodes: readonly NodeInfo[]) => void = () => {}
		const { model, tell, state } = createModel(() => new Promise((resolve) => void (answer = resolve)))
		const refreshed = model.refresh()
		tell(
			{ type: 'node', node: node(1, { name: 'new name' }) },
			{ type: 'node', node: node(2) },
			{ type: 'node_removed', id: id(2) },
		)
		answer([node(1), node(2), node(3)])
		await refreshed
		expect([...state().nodes.values()].map((one) => one.name)).toEqual(['new name', 'node-3'])
	})
})
