import '@xterm/xterm/css/xterm.css'
import './xterm.css'
import { SquareTerminal } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useLocation } from 'wouter'
import type { Services } from '../app/services.tsx'
import { useNodes, useServices, useTabs } from '../app/services.tsx'
import { EmptyState } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { TerminalController } from './controller.ts'
import { TerminalPane } from './pane.tsx'
import { NewTabMenu, TabBar } from './tab-bar.tsx'

/** All open terminals. It stays in the page while it is hidden, so that nothing is drawn anew on the way back. */
export function TerminalsScreen({ isShown }: { readonly isShown: boolean }) {
	const services = useServices()
	const { tabs, activeId } = useTabs()
	const controllers = useControllers(services)
	const active = tabs.find((tab) => tab.id === activeId)
	useEffect(() => {
		if (isShown) document.title = active === undefined ? 'Terminals · Sallyport' : `${active.title} · Sallyport`
	}, [isShown, active])
	return (
		<div hidden={!isShown} className={isShown ? 'flex min-h-0 flex-1 flex-col' : ''}>
			{tabs.length === 0 ? (
				<NoTerminals />
			) : (
				<>
					<TabBar controllers={controllers} />
					<div className="relative min-h-0 flex-1">
						{tabs.map((tab) => {
							const controller = controllers.get(tab.id)
							return controller === undefined ? null : (
								<TerminalPane
									key={tab.id}
									tab={tab}
									controller={controller}
									isActive={tab.id === activeId}
									isShown={isShown && tab.id === activeId}
								/>
							)
						})}
					</div>
				</>
			)}
		</div>
	)
}

/** One controller for each tab, from its opening to its close. */
function useControllers(services: Services): ReadonlyMap<string, TerminalController> {
	const { tabs } = useTabs()
	const [controllers, setControllers] = useState<ReadonlyMap<string, TerminalController>>(() => new Map())
	const [isFontReady, setFontReady] = useState(false)
	useEffect(() => {
		// The grid is measured once: with the fallback's widths the letters would stand too far apart.
		const fonts = ['400', '600'].map((weight) => document.fonts.load(`${weight} 14px "JetBrains Mono Variable"`))
		void Promise.allSettled(fonts).then(() => setFontReady(true))
	}, [])
	const ids = tabs.map((tab) => tab.id).join()
	useEffect(() => {
		if (!isFontReady) return
		setControllers((before) => {
			const wanted = new Set(ids === '' ? [] : ids.split(','))
			const after = new Map<string, TerminalController>()
			for (const [id, controller] of before) {
				if (wanted.has(id)) after.set(id, controller)
			}
			for (const id of wanted) {
				if (!after.has(id)) after.set(id, new TerminalController(services, id))
			}
			return after
		})
	}, [services, ids, isFontReady])
	useDisposal(controllers)
	useEffect(() => {
		const apply = () => {
			for (const controller of controllers.values()) controller.applyLook()
		}
		const dark = matchMedia('(prefers-color-scheme: dark)')
		dark.addEventListener('change', apply)
		const stop = services.settings.store.subscribe(apply)
		return () => {
			dark.removeEventListener('change', apply)
			stop()
		}
	}, [services, controllers])
	return controllers
}

/** Ends the controllers that are no longer in the map. */
function useDisposal(controllers: ReadonlyMap<string, TerminalController>): void {
	const [known] = useState(() => new Set<TerminalController>())
	useEffect(() => {
		const current = new Set(controllers.values())
		for (const controller of known) {
			if (current.has(controller)) continue
			known.delete(controller)
			controller.dispose()
		}
		for (const controller of current) known.add(controller)
	}, [controllers, known])
}

function NoTerminals() {
	const { nodes } = useNodes()
	const [, navigate] = useLocation()
	return (
		<div className="mx-auto w-full max-w-[76rem] px-4 pt-8 sm:px-6">
			<h1 className="sr-only">Terminals</h1>
			<EmptyState
				icon={SquareTerminal}
				title="No terminal is open"
				action={
					<>
						{nodes.size > 0 && <NewTabMenu trigger={<Button variant="primary">New terminal</Button>} align="start" />}
						<Button onClick={() => navigate('/machines')}>Machines</Button>
					</>
				}
			>
				Terminals stay open while you move about in this page, and their shells go on when you close it.
			</EmptyState>
		</div>
	)
}
