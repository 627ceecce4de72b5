import type { HostKeyNotice, LoginPrompt, NodeId } from '@sallyport/protocol'
import { createStore } from 'zustand/vanilla'
import type { Stored } from '../lib/stored.ts'
import { isRecord } from '../lib/stored.ts'

/** What stands between a terminal and its screen, if anything. */
export type TabPhase =
	| { readonly kind: 'waiting' }
	| { readonly kind: 'connecting'; readonly step: string }
	| { readonly kind: 'open' }
	/** The link was lost; the shell lives on at the node. */
	| { readonly kind: 'reattaching'; readonly reason: string; readonly attempt: number }
	| {
			readonly kind: 'ended'
			readonly reason: string
			readonly detail?: string
			readonly tone: 'calm' | 'error'
			readonly again: boolean
	  }

/** A question that its person must answer in the tab. */
export type TabQuestion =
	| { readonly kind: 'login'; readonly prompt: LoginPrompt; readonly answer: (answer: LoginAnswer | undefined) => void }
	| { readonly kind: 'paste'; readonly text: string; readonly answer: (isYes: boolean) => void }
	| { readonly kind: 'clipboard'; readonly text: string; readonly answer: (choice: 'once' | 'always' | 'no') => void }
	| { readonly kind: 'link'; readonly href: string; readonly answer: (isYes: boolean) => void }
export type LoginAnswer =
	| { readonly answers: readonly string[] }
	| { readonly privateKey: { readonly key: string; readonly passphrase?: string } }

export interface Tab {
	readonly id: string
	readonly nodeId: NodeId
	readonly nodeName: string
	readonly kind: 'shell' | 'ssh'
	readonly sshUser: string | undefined
	/** On the node; known while the shell runs there, as far as this page can tell. */
	readonly terminalId: string | undefined
	/** Among the tabs of its machine, from 1: tells apart those without a title of their own. */
	readonly number: number
	readonly title: string
	readonly phase: TabPhase
	readonly question: TabQuestion | undefined
	readonly hostKey: HostKeyNotice | undefined
	/** Something came while it wasn't looked at. */
	readonly hasNews: boolean
}

/** What survives a reload of the page: the shells themselves live on the nodes. */
export interface RememberedTab {
	readonly nodeId: NodeId
	readonly nodeName: string
	readonly kind: 'shell' | 'ssh'
	readonly terminalId: string
}

export interface OpenTab {
	readonly nodeId: NodeId
	readonly nodeName: string
	readonly kind: 'shell' | 'ssh'
	readonly sshUser?: string
	readonly terminalId?: string
}

export interface TabsDeps {
	readonly stored: Stored<readonly RememberedTab[]>
	readonly newId: () => string
}

/** The open terminals, apart from what draws them, so that they outlive any screen of the page. */
export function createTabs({ stored, newId }: TabsDeps) {
	const remembered = stored.read().reduce<readonly Tab[]>((tabs, tab) => [...tabs, newTab(newId(), tab, tabs)], [])
	const store = createStore<{ readonly tabs: readonly Tab[]; readonly activeId: string | undefined }>(() => ({
		tabs: remembered,
		activeId: remembered[0]?.id,
	}))
	const remember = () => {
		const { tabs } = store.getState()
		stored.write(
			tabs.flatMap(({ nodeId, nodeName, kind, terminalId }) =>
				terminalId === undefined ? [] : [{ nodeId, nodeName, kind, terminalId }],
			),
		)
	}

	return {
		store,
		open(request: OpenTab): string {
			const running = store
				.getState()
				.tabs.find(
					(tab) => request.terminalId !== undefined && tab.terminalId === request.terminalId && tab.nodeId === request.nodeId,
				)
			if (running !== undefined) {
				this.select(running.id)
				return running.id
			}
			const tab = newTab(newId(), request, store.getState().tabs)
			store.setState(({ tabs }) => ({ tabs: [...tabs, tab], activeId: tab.id }))
			return tab.id
		},
		update(id: string, change: Partial<Omit<Tab, 'id'>>): void {
			store.setState(({ tabs }) => ({ tabs: tabs.map((tab) => (tab.id === id ? { ...tab, ...change } : tab)) }))
			if ('terminalId' in change || 'phase' in change) remember()
		},
		select(id: string): void {
			store.setState(({ tabs }) => ({
				activeId: id,
				tabs: tabs.map((tab) => (tab.id === id && tab.hasNews ? { ...tab, hasNews: false } : tab)),
			}))
		},
		/** Moves on by `step` tabs, round the end. */
		selectNext(step: 1 | -1): void {
			const { tabs, activeId } = store.getState()
			const next = tabs.at((tabs.findIndex((tab) => tab.id === activeId) + step) % tabs.length)
			if (next !== undefined) this.select(next.id)
		},
		close(id: string): void {
			store.setState(({ tabs, activeId }) => {
				const index = tabs.findIndex((tab) => tab.id === id)
				const rest = tabs.filter((tab) => tab.id !== id)
				return { tabs: rest, activeId: activeId === id ? (rest[Math.min(index, rest.length - 1)]?.id ?? undefined) : activeId }
			})
			remember()
		},
		closeAll(): void {
			store.setState({ tabs: [], activeId: undefined })
			remember()
		},
		get(id: string): Tab | undefined {
			return store.getState().tabs.find((tab) => tab.id === id)
		},
	}
}
export type TabsModel = ReturnType<typeof createTabs>

/** What the tab bar calls it: the program's title, else the machine, with its number from the second on. */
export function tabLabel({ title, nodeName, number }: Pick<Tab, 'title' | 'nodeName' | 'number'>): string {
	return title === nodeName && number > 1 ? `${nodeName} ${number}` : title
}

function newTab(id: string, { nodeId, nodeName, kind, sshUser, terminalId }: OpenTab, others: readonly Tab[]): Tab {
	const taken = others.filter((tab) => tab.nodeId === nodeId).map((tab) => tab.number)
	let number = 1
	while (taken.includes(number)) number++
	return {
		number,
		id,
		nodeId,
		nodeName,
		kind,
		sshUser,
		terminalId,
		title: nodeName,
		phase: { kind: 'waiting' },
		question: undefined,
		hostKey: undefined,
		hasNews: false,
	}
}

export function parseRememberedTabs(value: unknown, isNodeId: (text: string) => text is NodeId): readonly RememberedTab[] {
	if (!Array.isArray(value)) return []
	return value.slice(0, 32).flatMap((tab): readonly RememberedTab[] => {
		if (!isRecord(tab)) return []
		const { nodeId, nodeName, kind, terminalId } = tab
		if (typeof nodeId !== 'string' || !isNodeId(nodeId) || typeof nodeName !== 'string' || typeof terminalId !== 'string')
			return []
		return kind === 'shell' || kind === 'ssh'
			? [{ nodeId, nodeName: nodeName.slice(0, 128), kind, terminalId: terminalId.slice(0, 64) }]
			: []
	})
}
