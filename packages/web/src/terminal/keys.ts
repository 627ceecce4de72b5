import type { Services } from '../app/services.tsx'
import { isMac } from '../lib/platform.ts'
import type { TerminalController } from './controller.ts'

export type TerminalCommand =
	| 'copy'
	| 'paste'
	| 'search'
	| 'larger'
	| 'smaller'
	| 'normal'
	| 'duplicate'
	| 'next'
	| 'previous'
	| 'leave'

export type KeyLike = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>

/** The page's own keys in a terminal. All else goes to the shell. */
export function terminalCommand(event: KeyLike, mac: boolean): TerminalCommand | undefined {
	if (event.altKey) return undefined
	const main = mac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey
	if (event.ctrlKey && event.shiftKey && !event.metaKey) {
		if (event.code === 'ArrowRight') return 'next'
		if (event.code === 'ArrowLeft') return 'previous'
		if (event.code === 'ArrowUp') return 'leave'
	}
	if (!main) return undefined
	if (event.key === '+' || event.key === '=') return 'larger'
	if (event.key === '-' || event.key === '_') return 'smaller'
	if (event.key === '0' && !event.shiftKey) return 'normal'
	// On a Mac, Cmd alone never reaches a shell; elsewhere Ctrl alone is the shell's.
	if (!mac && !event.shiftKey) return undefined
	if (event.code === 'KeyC') return 'copy'
	if (event.code === 'KeyV') return 'paste'
	if (event.code === 'KeyF') return 'search'
	if (event.code === 'KeyE' && event.shiftKey) return 'duplicate'
	return undefined
}

/** True when the key was the page's. */
export function handleTerminalKey(event: KeyboardEvent, controller: TerminalController, services: Services): boolean {
	const command = terminalCommand(event, isMac)
	if (command === undefined) return handleEnter(event, controller, services)
	// The browser's own paste brings the text without asking for a permission: it must run.
	if (command !== 'paste') event.preventDefault()
	runCommand(command, controller, services)
	return true
}

function runCommand(command: TerminalCommand, controller: TerminalController, { settings, tabs }: Services): void {
	switch (command) {
		case 'copy':
			return controller.clipboard.copy()
		case 'paste':
			return
		case 'search':
			return controller.onSearch()
		case 'larger':
			return settings.changeFontSize(1)
		case 'smaller':
			return settings.changeFontSize(-1)
		case 'normal':
			return settings.changeFontSize(0)
		case 'duplicate': {
			const { activeId } = tabs.store.getState()
			const tab = activeId === undefined ? undefined : tabs.get(activeId)
			if (tab !== undefined) tabs.open({ nodeId: tab.nodeId, nodeName: tab.nodeName, kind: tab.kind })
			return
		}
		case 'next':
			return tabs.selectNext(1)
		case 'previous':
			return tabs.selectNext(-1)
		case 'leave':
			return controller.onLeave()
	}
}

/** Enter brings a terminal back that has ended: there is no shell that could want it. */
function handleEnter(event: KeyboardEvent, controller: TerminalController, { tabs }: Services): boolean {
	const { activeId } = tabs.store.getState()
	const phase = activeId === undefined ? undefined : tabs.get(activeId)?.phase.kind
	if (event.key !== 'Enter' || (phase !== 'ended' && phase !== 'reattaching')) return false
	event.preventDefault()
	controller.reconnect()
	return true
}
