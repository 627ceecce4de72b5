import type { NodeInfo } from '@sallyport/protocol'
import { Ellipsis, Info, KeyRound, LockKeyhole, Pencil, SquareTerminal, Trash2 } from 'lucide-react'
import type { KeyboardEvent } from 'react'
import { useLocation } from 'wouter'
import { useNodes } from '../app/services.tsx'
import { formatBytes, formatDuration, formatPercent, plural } from '../lib/format.ts'
import { plainLine } from '../lib/hostile-text.ts'
import { nodeStatus } from '../lib/node-status.ts'
import { useNow } from '../lib/use-now.ts'
import { useOpenTerminal } from '../lib/use-open-terminal.ts'
import { Meter, StatusDot } from '../ui/bits.tsx'
import { Button, IconButton } from '../ui/button.tsx'
import { Menu, MenuItem, MenuSeparator } from '../ui/menu.tsx'
import type { MachineAct } from './machine-dialogs.tsx'

export interface MachineCardProps {
	readonly node: NodeInfo
	/** The one machine there is: its action is the page's. */
	readonly isOnly: boolean
	/** Where Tab enters the grid. */
	readonly isStop: boolean
	readonly onFocus: () => void
	readonly onAct: (act: MachineAct) => void
}

export function MachineCard({ node, isOnly, isStop, onFocus, onAct }: MachineCardProps) {
	const { pairings } = useNodes()
	const [, navigate] = useLocation()
	const openTerminal = useOpenTerminal()
	const now = useNow(15_000)
	const status = nodeStatus(node, now)
	const isPaired = pairings.has(node.id)
	const name = plainLine(node.name, 80)
	const showDetails = () => navigate(`/machines/${node.id}`)
	const act = () => {
		if (!node.connected) showDetails()
		else if (isPaired) openTerminal(node, 'shell')
		else onAct({ kind: 'pair', node })
	}
	const onKeyDown = (event: KeyboardEvent) => {
		if (event.key !== 'Enter' && event.key !== ' ') return
		event.preventDefault()
		if (event.key === 'Enter') act()
		else showDetails()
	}
	const tabIndex = isStop ? 0 : -1
	return (
		<li className="group relative flex min-h-[13.125rem] flex-col rounded-xl border border-line bg-surface p-4 shadow-card transition-colors focus-within:border-line-strong hover:border-line-strong">
			<div className="flex items-start gap-2">
				<div className="min-w-0 flex-1">
					<button
						type="button"
						data-cell=""
						tabIndex={tabIndex}
						onFocus={onFocus}
						onClick={showDetails}
						onKeyDown={onKeyDown}
						aria-label={`${name}: ${status.label}, ${status.detail}`}
						className="flex max-w-full items-center gap-2 rounded-sm text-left before:absolute before:inset-0 before:rounded-xl"
					>
						<StatusDot tone={status.tone} />
						<span className="truncate text-[0.9375rem] font-semibold tracking-[-0.01em]">{name}</span>
					</button>
					<div className="mt-1 truncate text-sm text-muted">
						<span className={status.tone === 'attention' ? 'text-warn' : 'text-text'}>{status.label}</span>
						{status.tone === 'online' ? ' ' : ': '}
						{status.detail}
					</div>
				</div>
				<CardMenu
					node={node}
					isPaired={isPaired}
					tabIndex={tabIndex}
					onAct={onAct}
					onDetails={showDetails}
					onOpen={openTerminal}
				/>
			</div>
			<Figures node={node} />
			<div className="tabular mt-3 mb-3 flex items-center justify-between gap-3 text-xs text-muted">
				<span className="truncate">{node.os === undefined ? 'System unknown' : plainLine(node.os, 60)}</span>
				<span className="shrink-0">{figuresLine(node)}</span>
			</div>
			<Button
				variant={isOnly && node.connected ? 'primary' : 'secondary'}
				size="sm"
				tabIndex={tabIndex}
				disabled={!node.connected}
				onClick={act}
				aria-label={
					node.connected ? (isPaired ? `Open terminal on ${name}` : `Pair this browser with ${name}`) : `${name} is offline`
				}
				icon={isPaired ? <SquareTerminal className="size-4" /> : <LockKeyhole className="size-4" />}
				className="relative mt-auto w-full"
			>
				{!node.connected ? 'Offline' : isPaired ? 'Open terminal' : 'Pair this browser'}
			</Button>
		</li>
	)
}

/** Links, uptime and round trip in one line, as far as they are known. */
function figuresLine(node: NodeInfo): string {
	if (!node.connected) return ''
	const upMs = (node.stats?.uptime_s ?? 0) * 1000
	return [
		...(node.links > 0 ? [plural(node.links, 'link')] : []),
		// The larger unit is enough here; the details have both.
		...(upMs > 0 ? [`up ${/^\S+ \S+/.exec(formatDuration(upMs))?.[0] ?? ''}`] : []),
		...(node.latency_ms === undefined ? [] : [`${Math.max(1, Math.round(node.latency_ms))} ms`]),
	].join(' · ')
}

/** Always of the same height, so that a machine that comes or goes moves nothing. */
function Figures({ node }: { readonly node: NodeInfo }) {
	const { stats } = node
	if (stats === undefined || !node.connected) {
		return (
			<div className="mt-4 flex h-[1.625rem] items-center text-xs text-muted">
				{node.connected ? 'Waiting for its first figures…' : 'No figures while it is away'}
			</div>
		)
	}
	return (
		<div className="mt-4 grid h-[1.625rem] grid-cols-3 gap-3 sm:gap-4">
			<Meter label="Load" value={stats.load1 / Math.max(1, stats.cpus)} text={stats.load1.toFixed(2)} />
			<Meter
				label="Memory"
				value={stats.memory_used / Math.max(1, stats.memory_total)}
				text={formatPercent(stats.memory_used, stats.memory_total)}
			/>
			<Meter
				label="Disk"
				value={stats.disk_used / Math.max(1, stats.disk_total)}
				text={formatPercent(stats.disk_used, stats.disk_total)}
			/>
		</div>
	)
}

interface CardMenuProps {
	readonly node: NodeInfo
	readonly isPaired: boolean
	readonly tabIndex: number
	readonly onAct: (act: MachineAct) => void
	readonly onDetails: () => void
	readonly onOpen: (node: NodeInfo, kind: 'shell' | 'ssh') => void
}

function CardMenu({ node, isPaired, tabIndex, onAct, onDetails, onOpen }: CardMenuProps) {
	const isReady = node.connected && isPaired
	return (
		<Menu
			label={`Actions for ${node.name}`}
			trigger={
				<IconButton
					label={`More for ${plainLine(node.name, 80)}`}
					size="sm"
					tabIndex={tabIndex}
					className="relative -mt-1 -mr-1.5"
				>
					<Ellipsis className="size-4" />
				</IconButton>
			}
		>
			<MenuItem label="Open terminal" icon={<SquareTerminal />} isDisabled={!isReady} onSelect={() => onOpen(node, 'shell')} />
			<MenuItem label="Log in by SSH" icon={<KeyRound />} isDisabled={!isReady} onSelect={() => onOpen(node, 'ssh')} />
			{!isPaired && (
				<MenuItem
					label="Pair this browser"
					icon={<LockKeyhole />}
					isDisabled={!node.connected}
					onSelect={() => onAct({ kind: 'pair', node })}
				/>
			)}
			<MenuSeparator />
			<MenuItem label="Details" icon={<Info />} onSelect={onDetails} />
			{node.access === 'admin' && (
				<>
					<MenuItem label="Rename" icon={<Pencil />} onSelect={() => onAct({ kind: 'rename', node })} />
					<MenuItem label="Remove" icon={<Trash2 />} isDanger onSelect={() => onAct({ kind: 'remove', node })} />
				</>
			)}
		</Menu>
	)
}

/** The figures in words, for the details. */
export function figureRows(node: NodeInfo): readonly (readonly [string, string])[] {
	const { stats } = node
	if (stats === undefined) return []
	return [
		['Load', `${stats.load1.toFixed(2)}  ${stats.load5.toFixed(2)}  ${stats.load15.toFixed(2)} on ${plural(stats.cpus, 'CPU')}`],
		['Memory', `${formatBytes(stats.memory_used)} of ${formatBytes(stats.memory_total)}`],
		['Disk', `${formatBytes(stats.disk_used)} of ${formatBytes(stats.disk_total)}`],
		['Uptime', formatDuration(stats.uptime_s * 1000)],
		...(stats.processes === undefined ? [] : [['Processes', String(stats.processes)] as const]),
	]
}
