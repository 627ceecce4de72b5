import type { NodeId } from '@sallyport/protocol'
import { nodeIdFromHash } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import type { RememberedTab } from './tabs.ts'
import { createTabs, parseRememberedTabs, tabLabel } from './tabs.ts'

const nodeId = nodeIdFromHash(new Uint8Array(32).fill(1))
const otherId = nodeIdFromHash(new Uint8Array(32).fill(2))
const isNodeId = (text: string): text is NodeId => /^[a-z2-7]{52}$/.test(text)

function createModel(remembered: readonly RememberedTab[] = []) {
	let written: readonly RememberedTab[] = remembered
	let count = 0
	const tabs = createTabs({
		stored: { read: () => written, write: (value) => void (written = value) },
		newId: () => `t${++count}`,
	})
	return { tabs, written: () => written }
}
const shell = { nodeId, nodeName: 'build-box', kind: 'shell' } as const

describe('tabs', () => {
	it('remember only shells that run, and bring them back', () => {
		const { tabs, written } = createModel()
		const first = tabs.open(shell)
		const second = tabs.open(shell)
		tabs.update(first, { terminalId: 'term_0001', phase: { kind: 'open' } })
		tabs.update(second, { terminalId: undefined, phase: { kind: 'ended', reason: 'exit', tone: 'calm', again: true } })
		expect(written()).toEqual([{ nodeId, nodeName: 'build-box', kind: 'shell', terminalId: 'term_0001' }])
		expect(createModel(written()).tabs.store.getState().tabs).toMatchObject([
			{ terminalId: 'term_0001', phase: { kind: 'waiting' } },
		])
	})

	it('tell apart those of one machine, and keep their numbers when one closes', () => {
		const { tabs } = createModel()
		const labels = () => tabs.store.getState().tabs.map(tabLabel)
		const [first] = [tabs.open(shell), tabs.open(shell), tabs.open({ ...shell, nodeName: 'other', nodeId: otherId })]
		expect(labels()).toEqual(['build-box', 'build-box 2', 'other'])
		tabs.close(first)
		expect(labels()).toEqual(['build-box 2', 'other'])
		tabs.update(tabs.open(shell), { title: 'vim notes' })
		tabs.open(shell)
		expect(labels()).toEqual(['build-box 2', 'other', 'vim notes', 'build-box 3'])
	})

	it('show the running tab instead of attaching the same terminal twice', () => {
		const { tabs } = createModel()
		const first = tabs.open({ ...shell, terminalId: 'term_0001' })
		tabs.open(shell)
		expect(tabs.open({ ...shell, terminalId: 'term_0001' })).toBe(first)
		expect(tabs.store.getState()).toMatchObject({ activeId: first, tabs: { length: 2 } })
	})

	it('go to the neighbour when the active one closes', () => {
		const { tabs } = createModel()
		const [first, second, third] = [tabs.open(shell), tabs.open(shell), tabs.open(shell)]
		tabs.select(second)
		tabs.close(second)
		expect(tabs.store.getState().activeId).toBe(third)
		tabs.close(third)
		expect(tabs.store.getState().activeId).toBe(first)
		tabs.close(first)
		expect(tabs.store.getState().activeId).toBeUndefined()
	})

	it('go round the end in both directions', () => {
		const { tabs } = createModel()
		const [first, , third] = [tabs.open(shell), tabs.open(shell), tabs.open(shell)]
		tabs.selectNext(1)
		expect(tabs.store.getState().activeId).toBe(first)
		tabs.selectNext(-1)
		expect(tabs.store.getState().activeId).toBe(third)
	})

	it('lose their mark of news when they are looked at', () => {
		const { tabs } = createModel()
		const first = tabs.open(shell)
		tabs.open(shell)
		tabs.update(first, { hasNews: true })
		tabs.select(first)
		expect(tabs.get(first)?.hasNews).toBe(false)
	})
})

it('takes only whole entries from storage', () => {
	const whole = { nodeId, nodeName: 'a', kind: 'shell', terminalId: 'x' }
	expect(parseRememberedTabs([whole, { ...whole, nodeId: 'short' }, { ...whole, kind: 'evil' }, null, 5], isNodeId)).toEqual([
		whole,
	])
	expect(parseRememberedTabs('x', isNodeId)).toEqual([])
})
