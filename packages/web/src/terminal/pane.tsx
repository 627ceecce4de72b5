import { clsx } from 'clsx'
import { ClipboardPaste, Copy, Search, SquareDashedMousePointer, Trash2 } from 'lucide-react'
import type { MouseEvent } from 'react'
import { useEffect, useRef, useState } from 'react'
import { useSettings } from '../app/services.tsx'
import { isLinux, keyLabel } from '../lib/platform.ts'
import { resolveTheme } from '../state/settings.ts'
import type { Tab } from '../state/tabs.ts'
import { ContextMenu } from '../ui/menu.tsx'
import type { TerminalController } from './controller.ts'
import { Overlay, StatusBar } from './overlay.tsx'
import { SearchBar } from './search-bar.tsx'
import { paneDomId, tabDomId } from './tab-bar.tsx'
import { terminalTheme } from './themes.ts'

export interface TerminalPaneProps {
	readonly tab: Tab
	readonly controller: TerminalController
	readonly isActive: boolean
	/** Its tab is chosen and the terminals are what the page shows. */
	readonly isShown: boolean
}

export function TerminalPane({ tab, controller, isActive, isShown }: TerminalPaneProps) {
	const box = useRef<HTMLDivElement>(null)
	const settings = useSettings()
	const [isSearching, setSearching] = useState(false)
	const [hasSelection, setHasSelection] = useState(false)
	useFitting(box, controller, isShown)
	useClipboardEvents(box, controller)
	useEffect(() => {
		controller.onSearch = () => setSearching(true)
		controller.onLeave = () => document.getElementById(tabDomId(tab.id))?.focus()
	}, [controller, tab.id])
	useEffect(() => {
		if (isShown && tab.question === undefined) controller.focus()
	}, [isShown, controller, tab.question])

	const theme = terminalTheme(
		settings.terminalTheme,
		resolveTheme(settings.theme, matchMedia('(prefers-color-scheme: dark)').matches),
	)
	const surface = (
		<div
			className="absolute inset-0 px-2.5 pt-2 pb-1.5"
			onMouseDown={(event) => pasteByMiddleButton(event, controller)}
			onContextMenu={(event) => {
				setHasSelection(controller.screen.term.hasSelection())
				if (settings.rightClick !== 'paste' || event.shiftKey) return
				event.preventDefault()
				if (controller.screen.term.hasSelection()) {
					controller.clipboard.copy()
					controller.screen.term.clearSelection()
				} else controller.clipboard.pasteFromClipboard()
			}}
		>
			<div ref={box} className="size-full overflow-hidden" />
		</div>
	)
	return (
		<div
			role="tabpanel"
			id={paneDomId(tab.id)}
			aria-labelledby={tabDomId(tab.id)}
			inert={!isActive}
			className={clsx('absolute inset-0 flex flex-col', !isActive && 'invisible')}
			style={{ background: theme.background }}
		>
			<div className="relative min-h-0 flex-1">
				{settings.rightClick === 'menu' ? (
					<ContextMenu
						onClose={() => controller.focus()}
						items={[
							{
								label: 'Copy',
								icon: <Copy />,
								keys: keyLabel('Ctrl+Shift+C'),
								isDisabled: !hasSelection,
								onSelect: () => controller.clipboard.copy(),
							},
							{
								label: 'Paste',
								icon: <ClipboardPaste />,
								keys: keyLabel('Ctrl+Shift+V'),
								onSelect: () => controller.clipboard.pasteFromClipboard(),
							},
							{ label: 'Select all', icon: <SquareDashedMousePointer />, onSelect: () => controller.screen.term.selectAll() },
							'separator',
							{ label: 'Search', icon: <Search />, keys: keyLabel('Ctrl+Shift+F'), onSelect: () => setSearching(true) },
							{ label: 'Clear scrollback', icon: <Trash2 />, onSelect: () => controller.screen.term.clear() },
						]}
					>
						{surface}
					</ContextMenu>
				) : (
					surface
				)}
				{isSearching && (
					<SearchBar
						screen={controller.screen}
						onClose={() => {
							setSearching(false)
							controller.focus()
						}}
					/>
				)}
				<Overlay tab={tab} />
			</div>
			<StatusBar tab={tab} controller={controller} />
		</div>
	)
}

/** Draws into the box when it is first seen, and keeps the grid to its size. */
function useFitting(box: React.RefObject<HTMLDivElement | null>, controller: TerminalController, isShown: boolean): void {
	useEffect(() => {
		const element = box.current
		if (element === null || !isShown) return
		controller.mount(element)
		let frame = 0
		const observer = new ResizeObserver(() => {
			cancelAnimationFrame(frame)
			frame = requestAnimationFrame(() => controller.fit())
		})
		observer.observe(element)
		return () => {
			observer.disconnect()
			cancelAnimationFrame(frame)
		}
	}, [box, controller, isShown])
}

/** Pastes go through our own hands, in pieces and with a warning where one is due; files dropped are not typed. */
function useClipboardEvents(box: React.RefObject<HTMLDivElement | null>, controller: TerminalController): void {
	useEffect(() => {
		const element = box.current
		if (element === null) return
		const paste = (event: ClipboardEvent) => {
			event.preventDefault()
			event.stopPropagation()
			controller.clipboard.paste(event.clipboardData?.getData('text/plain') ?? '')
		}
		element.addEventListener('paste', paste, { capture: true })
		return () => element.removeEventListener('paste', paste, { capture: true })
	}, [box, controller])
}

/** On Linux the browser itself brings the primary selection; elsewhere the middle button has no meaning of its own. */
function pasteByMiddleButton(event: MouseEvent, controller: TerminalController): void {
	if (event.button !== 1 || isLinux || controller.screen.term.modes.mouseTrackingMode !== 'none') return
	event.preventDefault()
	const selected = controller.screen.term.getSelection()
	if (selected === '') controller.clipboard.pasteFromClipboard()
	else controller.clipboard.paste(selected)
}
