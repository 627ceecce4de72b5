import type { NodeConnection } from '@sallyport/client'
import type { NodeInfo, TerminalInfo } from '@sallyport/protocol'
import { useEffect } from 'react'
import { formatAgo } from '../lib/format.ts'
import { plainLine } from '../lib/hostile-text.ts'
import { useAction } from '../lib/use-action.ts'
import { useLoaded } from '../lib/use-loaded.ts'
import { useNow } from '../lib/use-now.ts'
import { useOpenTerminal } from '../lib/use-open-terminal.ts'
import { Badge, Callout, Skeleton } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { SheetSection } from './sheet-section.tsx'

/** Shells that run on the machine, attached here or not. */
export function NodeTerminals({ node, connection }: { readonly node: NodeInfo; readonly connection: NodeConnection }) {
	const [state, reload] = useLoaded(() => connection.terminals(), [connection])
	useEffect(
		() =>
			connection.onNotice((notice) => {
				if (notice.op === 'terminals_changed') reload()
			}),
		[connection, reload],
	)
	return (
		<SheetSection title="Terminals">
			{state.kind === 'loading' && <Skeleton className="h-12 w-full" />}
			{state.kind === 'failed' && <Callout tone="warn">{state.problem.message}</Callout>}
			{state.kind === 'ready' && state.value.length === 0 && <p className="text-sm text-muted">None runs.</p>}
			{state.kind === 'ready' && state.value.length > 0 && (
				<ul className="divide-y divide-line rounded-lg border border-line">
					{state.value.map((terminal) => (
						<TerminalRow key={terminal.terminal_id} node={node} connection={connection} terminal={terminal} onEnded={reload} />
					))}
				</ul>
			)}
		</SheetSection>
	)
}

interface TerminalRowProps {
	readonly node: NodeInfo
	readonly connection: NodeConnection
	readonly terminal: TerminalInfo
	readonly onEnded: () => void
}

function TerminalRow({ node, connection, terminal, onEnded }: TerminalRowProps) {
	const now = useNow(15_000)
	const openTerminal = useOpenTerminal()
	const end = useAction(() => connection.endTerminal(terminal.terminal_id))
	const name = plainLine(terminal.name, 60)
	return (
		<li className="flex items-center gap-2 py-2 pr-2 pl-3">
			<div className="min-w-0 flex-1">
				<div className="flex items-center gap-2 text-sm font-medium">
					<span className="truncate">{name}</span>
					{terminal.attached > 0 && <Badge tone="accent">attached</Badge>}
				</div>
				<div className="truncate text-xs text-muted">
					{terminal.kind === 'ssh' ? 'SSH' : 'Shell'}, {terminal.cols} × {terminal.rows}, started{' '}
					{formatAgo(terminal.created_at, now)}
				</div>
				{end.problem !== undefined && <div className="text-xs text-danger">{end.problem.message}</div>}
			</div>
			<Button size="sm" onClick={() => openTerminal(node, terminal.kind, terminal.terminal_id)} aria-label={`Attach ${name}`}>
				Attach
			</Button>
			<Button
				size="sm"
				variant="ghost"
				isBusy={end.isBusy}
				aria-label={`End ${name}`}
				onClick={async () => {
					if (await end.run()) onEnded()
				}}
			>
				End
			</Button>
		</li>
	)
}
