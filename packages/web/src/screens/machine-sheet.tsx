import type { NodeConnection } from '@sallyport/client'
import type { NodeInfo } from '@sallyport/protocol'
import { KeyRound, LockKeyhole, Pencil, SquareTerminal, Trash2, Unlink } from 'lucide-react'
import type { ReactNode } from 'react'
import { toast } from 'sonner'
import { useNodes, useServices } from '../app/services.tsx'
import { formatAgo, formatDateTime, groupId } from '../lib/format.ts'
import { plainLine } from '../lib/hostile-text.ts'
import { nodeStatus } from '../lib/node-status.ts'
import { toProblem } from '../lib/problem.ts'
import { useLoaded } from '../lib/use-loaded.ts'
import { useNow } from '../lib/use-now.ts'
import { useOpenTerminal } from '../lib/use-open-terminal.ts'
import { Badge, Callout, Skeleton, StatusDot } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { CopyIcon } from '../ui/copy.tsx'
import { Sheet } from '../ui/dialog.tsx'
import { figureRows } from './machine-card.tsx'
import type { MachineAct } from './machine-dialogs.tsx'
import { NodeDevices } from './node-devices.tsx'
import { NodeTerminals } from './node-terminals.tsx'
import { SheetSection } from './sheet-section.tsx'

export interface MachineSheetProps {
	readonly node: NodeInfo | undefined
	readonly onClose: () => void
	readonly onAct: (act: MachineAct) => void
}

export function MachineSheet({ node, onClose, onAct }: MachineSheetProps) {
	const now = useNow(15_000)
	if (node === undefined) return null
	const status = nodeStatus(node, now)
	return (
		<Sheet
			isOpen
			onOpenChange={onClose}
			title={`Details of ${plainLine(node.name)}`}
			header={
				<>
					<div className="flex items-center gap-2">
						<StatusDot tone={status.tone} />
						<span className="truncate text-lg font-semibold tracking-[-0.01em]" aria-hidden="true">
							{plainLine(node.name)}
						</span>
					</div>
					<div className="mt-0.5 text-sm text-muted">
						{status.label}
						{status.tone === 'online' ? ' ' : ': '}
						{status.detail}
					</div>
				</>
			}
		>
			<Details node={node} onAct={onAct} />
		</Sheet>
	)
}

function Details({ node, onAct }: { readonly node: NodeInfo; readonly onAct: (act: MachineAct) => void }) {
	const { pairings } = useNodes()
	const openTerminal = useOpenTerminal()
	const pairing = pairings.get(node.id)
	const isReady = node.connected && pairing !== undefined
	return (
		<>
			<div className="flex flex-wrap gap-2 px-5 py-4">
				{pairing === undefined ? (
					<Button
						variant="primary"
						disabled={!node.connected}
						icon={<LockKeyhole className="size-4" />}
						onClick={() => onAct({ kind: 'pair', node })}
					>
						Pair this browser
					</Button>
				) : (
					<>
						<Button
							variant="primary"
							disabled={!isReady}
							icon={<SquareTerminal className="size-4" />}
							onClick={() => openTerminal(node, 'shell')}
						>
							Open terminal
						</Button>
						<Button disabled={!isReady} icon={<KeyRound className="size-4" />} onClick={() => openTerminal(node, 'ssh')}>
							SSH login
						</Button>
					</>
				)}
				{node.access === 'admin' && (
					<div className="ml-auto flex gap-1">
						<Button
							variant="ghost"
							aria-label="Rename"
							title="Rename"
							className="px-2.5"
							onClick={() => onAct({ kind: 'rename', node })}
							icon={<Pencil className="size-4" />}
						/>
						<Button
							variant="ghost"
							aria-label="Remove"
							title="Remove"
							className="px-2.5 hover:text-danger"
							onClick={() => onAct({ kind: 'remove', node })}
							icon={<Trash2 className="size-4" />}
						/>
					</div>
				)}
			</div>
			<Facts node={node} />
			{isReady ? <OverLink node={node} /> : <AwayNote node={node} isPaired={pairing !== undefined} />}
			{pairing !== undefined && <ForgetPairing node={node} />}
		</>
	)
}

function Facts({ node }: { readonly node: NodeInfo }) {
	const { pairings } = useNodes()
	const pairing = pairings.get(node.id)
	const now = useNow(15_000)
	const rows: readonly (readonly [string, ReactNode])[] = [
		...figureRows(node),
		[
			'Round trip',
			node.connected && node.latency_ms !== undefined ? `${Math.max(1, Math.round(node.latency_ms))} ms from the relay` : '–',
		],
		['System', node.os === undefined ? '–' : plainLine(node.os)],
		['Host name', node.hostname === undefined ? '–' : plainLine(node.hostname)],
		['Agent', node.agent_version === undefined ? '–' : plainLine(node.agent_version, 40)],
		['Owner', plainLine(node.owner.username)],
		['Added', formatDateTime(node.created_at)],
		['Last seen', node.connected ? 'now' : node.last_seen_at === undefined ? 'never' : formatAgo(node.last_seen_at, now)],
		[
			'This browser',
			pairing === undefined ? (
				<Badge tone="warn">not paired</Badge>
			) : (
				<Badge tone="accent">paired by {pairing.pairedBy === 'approve' ? 'approve code' : pairing.pairedBy}</Badge>
			),
		],
	]
	return (
		<SheetSection title="About">
			<dl className="grid grid-cols-[7rem_1fr] gap-y-1.5 text-sm">
				{rows.map(([term, value]) => (
					<div key={term} className="contents">
						<dt className="text-muted">{term}</dt>
						<dd className="tabular min-w-0 [overflow-wrap:anywhere]">{value}</dd>
					</div>
				))}
				{pairing !== undefined && (
					<>
						<dt className="text-muted">Fingerprint</dt>
						<dd className="font-mono text-xs leading-5">{pairing.fingerprint}</dd>
					</>
				)}
			</dl>
			<div className="mt-3 flex items-start gap-1 rounded-lg border border-line bg-sunken py-1.5 pr-1.5 pl-3">
				<div className="min-w-0 flex-1 font-mono text-xs leading-5">
					<span className="sr-only">Machine id: </span>
					{groupId(node.id)}
				</div>
				<CopyIcon text={node.id} label="Copy the machine’s id" />
			</div>
		</SheetSection>
	)
}

/** What only the machine itself can tell, over this browser's link to it. */
function OverLink({ node }: { readonly node: NodeInfo }) {
	const { client, approvals } = useServices()
	const [state, reload] = useLoaded<NodeConnection>(async () => {
		const connection = await client.connect(node.id)
		approvals.listen(connection, node.name)
		return connection
	}, [client, node.id])
	if (state.kind === 'loading') {
		return (
			<SheetSection title="Terminals">
				<Skeleton className="h-12 w-full" />
			</SheetSection>
		)
	}
	if (state.kind === 'failed') {
		return (
			<div className="flex flex-col items-start gap-3 border-t border-line px-5 py-4">
				<Callout tone="warn" title="The machine couldn’t be asked">
					{state.problem.message}
				</Callout>
				<Button onClick={reload}>Try again</Button>
			</div>
		)
	}
	return (
		<>
			<NodeTerminals node={node} connection={state.value} />
			<SheetSection title="Devices that it lets in">
				<NodeDevices connection={state.value} />
			</SheetSection>
		</>
	)
}

function AwayNote({ node, isPaired }: { readonly node: NodeInfo; readonly isPaired: boolean }) {
	return (
		<div className="border-t border-line px-5 py-4">
			<Callout>
				{!isPaired
					? 'Its terminals and devices are told only to a paired browser: the relay does not know them.'
					: `Its terminals and devices can be seen when it is back. ${node.connected ? '' : 'Shells on it go on while it is away.'}`}
			</Callout>
		</div>
	)
}

function ForgetPairing({ node }: { readonly node: NodeInfo }) {
	const { client, nodes } = useServices()
	const forget = () => {
		client.forgetPairing(node.id).then(
			() => {
				void nodes.refreshPairings()
				toast.success(`This browser no longer trusts ${plainLine(node.name, 60)}. To undo, pair again.`)
			},
			(error: unknown) => toast.error(toProblem(error).message),
		)
	}
	return (
		<div className="border-t border-line px-5 py-4">
			<Button variant="ghost" size="sm" className="-ml-2.5" icon={<Unlink className="size-4" />} onClick={forget}>
				Unpair this browser
			</Button>
		</div>
	)
}
