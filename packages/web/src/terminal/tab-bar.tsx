import { clsx } from 'clsx'
import { ChevronDown, KeyRound, LockKeyhole, Plus, SquareTerminal, X } from 'lucide-react'
import type { KeyboardEvent, ReactNode } from 'react'
import { useEffect, useRef } from 'react'
import { toast } from 'sonner'
import { useLocation } from 'wouter'
import type { Services } from '../app/services.tsx'
import { useNodes, useServices, useTabs } from '../app/services.tsx'
import { plainLine } from '../lib/hostile-text.ts'
import { filterNodes } from '../lib/node-status.ts'
import { toProblem } from '../lib/problem.ts'
import { useOpenTerminal } from '../lib/use-open-terminal.ts'
import { type Tab, tabLabel } from '../state/tabs.ts'
import { StatusDot } from '../ui/bits.tsx'
import { IconButton } from '../ui/button.tsx'
import { ContextMenu, Menu, MenuHeading, MenuItem, MenuSeparator } from '../ui/menu.tsx'
import type { TerminalController } from './controller.ts'

export const tabDomId = (id: string) => `tab-${id}`
export const paneDomId = (id: string) => `pane-${id}`

export function TabBar({ controllers }: { readonly controllers: ReadonlyMap<string, TerminalController> }) {
	const services = useServices()
	const { tabs, activeId } = useTabs()
	const list = useRef<HTMLDivElement>(null)
	useEffect(() => {
		if (activeId !== undefined)
			document.getElementById(tabDomId(activeId))?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
	}, [activeId])
	const onKeyDown = (event: KeyboardEvent) => {
		const index = tabs.findIndex((tab) => tab.id === activeId)
		const target = {
			ArrowRight: tabs[(index + 1) % tabs.length],
			ArrowLeft: tabs.at(index - 1),
			Home: tabs[0],
			End: tabs.at(-1),
		}[event.key]
		if (target !== undefined) {
			event.preventDefault()
			services.tabs.select(target.id)
			document.getElementById(tabDomId(target.id))?.focus()
		} else if ((event.key === 'Enter' || event.key === ' ' || event.key === 'ArrowDown') && activeId !== undefined) {
			event.preventDefault()
			controllers.get(activeId)?.focus()
		} else if (event.key === 'Delete' && activeId !== undefined) closeTab(services, activeId)
	}
	return (
		<div className="flex h-10 shrink-0 items-stretch border-b border-line bg-bg">
			<div
				ref={list}
				role="tablist"
				aria-label="Terminals"
				className="scroll-none flex min-w-0 items-stretch overflow-x-auto"
				onKeyDown={onKeyDown}
			>
				{tabs.map((tab) => (
					<TabItem key={tab.id} tab={tab} isActive={tab.id === activeId} onFocusPane={() => controllers.get(tab.id)?.focus()} />
				))}
			</div>
			<div className="flex shrink-0 items-center px-1.5">
				<NewTabMenu
					align="start"
					trigger={
						<IconButton label="New terminal" size="sm" className="w-auto gap-0.5 px-1.5">
							<Plus className="size-4" />
							<ChevronDown className="size-3" />
						</IconButton>
					}
				/>
			</div>
		</div>
	)
}

function TabItem({
	tab,
	isActive,
	onFocusPane,
}: {
	readonly tab: Tab
	readonly isActive: boolean
	readonly onFocusPane: () => void
}) {
	const services = useServices()
	const openTerminal = useOpenTerminal()
	const title = plainLine(tabLabel(tab), 80)
	const node = plainLine(tab.nodeName, 60)
	return (
		<ContextMenu
			items={[
				{
					label: 'New terminal here',
					icon: <SquareTerminal />,
					onSelect: () => openTerminal({ id: tab.nodeId, name: tab.nodeName }, 'shell'),
				},
				{
					label: 'Log in by SSH',
					icon: <KeyRound />,
					onSelect: () => openTerminal({ id: tab.nodeId, name: tab.nodeName }, 'ssh'),
				},
				'separator',
				{ label: 'Close, leave it running', icon: <X />, onSelect: () => closeTab(services, tab.id) },
				{ label: 'End the shell', icon: <X />, isDanger: true, onSelect: () => void endTab(services, tab) },
			]}
		>
			<div
				className={clsx(
					'group relative flex max-w-56 min-w-28 shrink-0 items-center border-r border-line pr-1.5 max-sm:max-w-44',
					isActive ? 'bg-surface' : 'text-muted hover:bg-hover hover:text-text',
				)}
				onMouseDown={(event) => {
					// The middle button closes, as in any browser.
					if (event.button === 1) {
						event.preventDefault()
						closeTab(services, tab.id)
					}
				}}
			>
				{isActive && <span className="absolute inset-x-0 top-0 h-0.5 bg-accent" aria-hidden="true" />}
				<button
					type="button"
					role="tab"
					id={tabDomId(tab.id)}
					aria-selected={isActive}
					aria-controls={paneDomId(tab.id)}
					tabIndex={isActive ? 0 : -1}
					onClick={() => {
						services.tabs.select(tab.id)
						onFocusPane()
					}}
					title={tab.title === tab.nodeName ? title : `${title} (${node})`}
					className="flex h-full min-w-0 flex-1 items-center gap-2 pr-1 pl-3 text-left -outline-offset-2"
				>
					<TabDot tab={tab} />
					<span className="truncate text-sm font-medium">{title}</span>
					{tab.kind === 'ssh' && <span className="shrink-0 text-2xs font-medium text-muted">SSH</span>}
				</button>
				<button
					type="button"
					tabIndex={-1}
					aria-label={`Close ${title}`}
					title="Close (the shell goes on)"
					onClick={() => closeTab(services, tab.id)}
					className={clsx(
						'flex size-5 items-center justify-center rounded text-muted hover:bg-line hover:text-text',
						!isActive && 'opacity-0 group-hover:opacity-100 max-sm:hidden',
					)}
				>
					<X className="size-3.5" />
				</button>
			</div>
		</ContextMenu>
	)
}

function TabDot({ tab }: { readonly tab: Tab }) {
	const states = { waiting: 'offline', connecting: 'busy', reattaching: 'busy', open: 'online', ended: 'offline' } as const
	const words = {
		waiting: 'not connected',
		connecting: 'connecting',
		reattaching: 'reconnecting',
		open: tab.hasNews ? 'open, new output' : 'open',
		ended: 'ended',
	} as const
	return (
		<span className="relative flex size-3 shrink-0 items-center justify-center">
			<StatusDot tone={states[tab.phase.kind]} />
			{tab.hasNews && <span className="absolute inset-0 rounded-full ring-2 ring-accent/50" aria-hidden="true" />}
			<span className="sr-only">{words[tab.phase.kind]}</span>
		</span>
	)
}

/** Closes the tab; a shell that runs goes on, and one press ends it. */
function closeTab(services: Services, id: string): void {
	const tab = services.tabs.get(id)
	if (tab === undefined) return
	services.tabs.close(id)
	if (tab.terminalId === undefined) return
	toast(`Left running on ${plainLine(tab.nodeName, 40)}`, {
		description: 'Find it again in the machine’s details.',
		action: { label: 'End it', onClick: () => void endTab(services, tab) },
	})
}

async function endTab(services: Services, tab: Tab): Promise<void> {
	services.tabs.close(tab.id)
	if (tab.terminalId === undefined) return
	try {
		const connection = await services.client.connect(tab.nodeId)
		await connection.endTerminal(tab.terminalId)
	} catch (error) {
		const problem = toProblem(error)
		if (problem.code !== 'not_found') toast.error(`The shell on ${plainLine(tab.nodeName, 40)} was not ended. ${problem.message}`)
	}
}

const MENU_MACHINES = 12

/** Machine first, then how: its own shell, or a login by SSH. */
export function NewTabMenu({ trigger, align }: { readonly trigger: ReactNode; readonly align: 'start' | 'end' }) {
	const { nodes, pairings } = useNodes()
	const openTerminal = useOpenTerminal()
	const [, navigate] = useLocation()
	const online = filterNodes([...nodes.values()], '').filter((node) => node.connected)
	const paired = online.filter((node) => pairings.has(node.id))
	const unpaired = online.filter((node) => !pairings.has(node.id))
	return (
		<Menu trigger={trigger} align={align} label="New terminal">
			{online.length === 0 && <MenuHeading>No machine is online</MenuHeading>}
			{paired.length > 0 && <MenuHeading>Shell</MenuHeading>}
			{paired.slice(0, MENU_MACHINES).map((node) => (
				<MenuItem
					key={node.id}
					label={plainLine(node.name, 60)}
					icon={<SquareTerminal />}
					onSelect={() => openTerminal(node, 'shell')}
				/>
			))}
			{paired.length > 0 && <MenuHeading>SSH login</MenuHeading>}
			{paired.slice(0, MENU_MACHINES).map((node) => (
				<MenuItem
					key={`ssh-${node.id}`}
					label={plainLine(node.name, 60)}
					icon={<KeyRound />}
					onSelect={() => openTerminal(node, 'ssh')}
				/>
			))}
			{unpaired.length > 0 && <MenuHeading>Not paired with this browser</MenuHeading>}
			{unpaired.slice(0, MENU_MACHINES).map((node) => (
				<MenuItem
					key={node.id}
					label={plainLine(node.name, 60)}
					icon={<LockKeyhole />}
					onSelect={() => navigate(`/machines/${node.id}`)}
				/>
			))}
			<MenuSeparator />
			<MenuItem label="All machines" onSelect={() => navigate('/machines')} />
		</Menu>
	)
}
