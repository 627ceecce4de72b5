import type { NodeInfo } from '@sallyport/protocol'
import { Plus, Search, Server, WifiOff } from 'lucide-react'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { useNodes, useServices } from '../app/services.tsx'
import { plural } from '../lib/format.ts'
import { filterNodes } from '../lib/node-status.ts'
import { useRovingGrid } from '../lib/use-roving-grid.ts'
import { Callout, EmptyState, Kbd, Skeleton } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { Input } from '../ui/field.tsx'
import { Page } from '../ui/page.tsx'
import { AddMachine } from './add-machine.tsx'
import { MachineCard } from './machine-card.tsx'
import { type MachineAct, MachineDialogs } from './machine-dialogs.tsx'
import { MachineSheet } from './machine-sheet.tsx'

const GRID = 'grid grid-cols-1 gap-3 sm:grid-cols-[repeat(auto-fill,minmax(19rem,1fr))]'

export function Machines({ openId }: { readonly openId: string | undefined }) {
	const { nodes, feed } = useNodes()
	const [, navigate] = useLocation()
	const [query, setQuery] = useState('')
	const [isAdding, setAdding] = useState(false)
	const [act, setAct] = useState<MachineAct>()
	const shown = filterNodes([...nodes.values()], query)
	const open = [...nodes.values()].find((node) => node.id === openId)
	const online = [...nodes.values()].filter((node) => node.connected).length

	return (
		<Page
			title="Machines"
			description={
				feed.kind === 'loading' ? (
					<Skeleton className="my-1 h-4 w-40" />
				) : nodes.size === 0 ? (
					'None yet'
				) : (
					`${plural(nodes.size, 'machine')}, ${online} online`
				)
			}
			actions={
				<>
					{nodes.size > 0 && <Filter query={query} onChange={setQuery} />}
					<Button
						variant={nodes.size === 0 ? 'secondary' : 'primary'}
						icon={<Plus className="size-4" />}
						onClick={() => setAdding(true)}
					>
						Add machine
					</Button>
				</>
			}
		>
			{feed.kind === 'interrupted' && (
				<div className="mb-4">
					<Callout tone="warn" title="Live updates are interrupted">
						{feed.reason} What you see may be old; the page catches up by itself.
					</Callout>
				</div>
			)}
			<Content shown={shown} query={query} onAct={setAct} onAdd={() => setAdding(true)} onClear={() => setQuery('')} />
			<AddMachine isOpen={isAdding} onOpenChange={setAdding} />
			<MachineSheet node={open} onClose={() => navigate('/machines')} onAct={setAct} />
			<MachineDialogs act={act} onClose={() => setAct(undefined)} />
		</Page>
	)
}

function Filter({ query, onChange }: { readonly query: string; readonly onChange: (query: string) => void }) {
	return (
		<div className="relative min-w-0 flex-1 sm:w-60 sm:flex-none">
			<Search className="pointer-events-none absolute top-2.5 left-3 size-4 text-muted" aria-hidden="true" />
			<Input
				type="search"
				aria-label="Filter machines"
				placeholder="Filter"
				data-filter=""
				value={query}
				onChange={(event) => onChange(event.target.value)}
				onKeyDown={(event) => {
					if (event.key === 'Escape') {
						onChange('')
						event.currentTarget.blur()
					}
				}}
				className="pl-9 [&::-webkit-search-cancel-button]:hidden"
			/>
			{query === '' && (
				<span className="pointer-events-none absolute top-2 right-2 hidden sm:block" aria-hidden="true">
					<Kbd>/</Kbd>
				</span>
			)}
		</div>
	)
}

interface ContentProps {
	readonly shown: readonly NodeInfo[]
	readonly query: string
	readonly onAct: (act: MachineAct) => void
	readonly onAdd: () => void
	readonly onClear: () => void
}

function Content({ shown, query, onAct, onAdd, onClear }: ContentProps) {
	const { nodes, feed } = useNodes()
	const services = useServices()
	const grid = useRovingGrid()
	if (feed.kind === 'loading') return <LoadingCards />
	if (feed.kind === 'failed') {
		return (
			<EmptyState
				icon={WifiOff}
				title="The list of machines couldn’t be loaded"
				action={<Button onClick={() => void services.nodes.refresh()}>Try again</Button>}
			>
				{feed.problem.message}
			</EmptyState>
		)
	}
	if (nodes.size === 0) {
		return (
			<EmptyState
				icon={Server}
				title="Add your first machine"
				action={
					<Button variant="primary" icon={<Plus className="size-4" />} onClick={onAdd}>
						Add machine
					</Button>
				}
			>
				Paste one command on it. It dials out, so it needs no open port and no public address.
			</EmptyState>
		)
	}
	if (shown.length === 0) {
		return (
			<EmptyState
				icon={Search}
				title={`No machine matches “${query}”`}
				action={<Button onClick={onClear}>Clear the filter</Button>}
			>
				Names, host names, systems, owners and “online” or “offline” are searched.
			</EmptyState>
		)
	}
	return (
		<ul ref={grid.ref} className={GRID} aria-label="Machines" onKeyDown={grid.onKeyDown}>
			{shown.map((node, index) => (
				<MachineCard
					key={node.id}
					node={node}
					isOnly={nodes.size === 1}
					isStop={index === Math.min(grid.active, shown.length - 1)}
					onFocus={() => grid.setActive(index)}
					onAct={onAct}
				/>
			))}
		</ul>
	)
}

function LoadingCards() {
	return (
		<div className={GRID} aria-busy="true" aria-label="Loading machines">
			{[0, 1, 2].map((index) => (
				<div key={index} className="flex h-[13.125rem] flex-col rounded-xl border border-line bg-surface p-4">
					<Skeleton className="h-4 w-32" />
					<Skeleton className="mt-2.5 h-3 w-44" />
					<div className="mt-7 grid grid-cols-3 gap-4">
						<Skeleton className="h-6" />
						<Skeleton className="h-6" />
						<Skeleton className="h-6" />
					</div>
					<Skeleton className="mt-auto h-8 w-full" />
				</div>
			))}
		</div>
	)
}
