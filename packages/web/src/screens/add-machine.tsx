import type { JoinOffer } from '@sallyport/client'
import type { NodeInfo } from '@sallyport/protocol'
import { Check, LoaderCircle, SquareTerminal } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useAccount, useServices } from '../app/services.tsx'
import { formatCountdown } from '../lib/format.ts'
import { plainLine } from '../lib/hostile-text.ts'
import type { Problem } from '../lib/problem.ts'
import { toProblem } from '../lib/problem.ts'
import { useNow } from '../lib/use-now.ts'
import { useOpenTerminal } from '../lib/use-open-terminal.ts'
import { Callout, Skeleton } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { CopyBlock } from '../ui/copy.tsx'
import { Dialog } from '../ui/dialog.tsx'

export function AddMachine({
	isOpen,
	onOpenChange,
}: {
	readonly isOpen: boolean
	readonly onOpenChange: (isOpen: boolean) => void
}) {
	return isOpen ? <OpenAddMachine onClose={() => onOpenChange(false)} /> : null
}

type JoinState =
	| { readonly kind: 'making' }
	| { readonly kind: 'waiting'; readonly offer: JoinOffer }
	| { readonly kind: 'joined'; readonly node: NodeInfo }
	| { readonly kind: 'failed'; readonly problem: Problem }

function OpenAddMachine({ onClose }: { readonly onClose: () => void }) {
	const openTerminal = useOpenTerminal()
	const [round, setRound] = useState(0)
	const state = useJoin(round)
	const close = () => {
		if (state.kind === 'waiting') void state.offer.cancel()
		onClose()
	}
	return (
		<Dialog
			isOpen
			onOpenChange={close}
			title={state.kind === 'joined' ? 'The machine is there' : 'Add a machine'}
			{...(state.kind === 'joined'
				? {}
				: {
						description:
							'Run this on the machine, as the user whose shell you want. It enrols the machine and pairs it with this browser in one step.',
					})}
			footer={
				state.kind === 'joined' ? (
					<>
						<Button onClick={onClose}>Done</Button>
						<Button
							variant="primary"
							autoFocus
							icon={<SquareTerminal className="size-4" />}
							onClick={() => {
								onClose()
								openTerminal(state.node, 'shell')
							}}
						>
							Open terminal
						</Button>
					</>
				) : (
					<Button onClick={close}>Cancel</Button>
				)
			}
		>
			<JoinBody state={state} onAgain={() => setRound(round + 1)} />
		</Dialog>
	)
}

/** One offer for each round; whatever is shown when it ends, the offer is withdrawn. */
function useJoin(round: number): JoinState {
	const { client, nodes } = useServices()
	const { phase } = useAccount()
	const user = phase.kind === 'signed_in' ? phase.user.username : ''
	const [state, setState] = useState<JoinState>({ kind: 'making' })
	// biome-ignore lint/correctness/useExhaustiveDependencies: a new round makes a new offer
	useEffect(() => {
		let isCurrent = true
		setState({ kind: 'making' })
		const made = client.createJoin({ user })
		made
			.then(async (offer) => {
				if (!isCurrent) return
				setState({ kind: 'waiting', offer })
				const node = await offer.joined
				await nodes.refreshPairings()
				if (isCurrent) setState({ kind: 'joined', node })
			})
			.catch((error: unknown) => {
				if (isCurrent) setState({ kind: 'failed', problem: toProblem(error) })
			})
		return () => {
			isCurrent = false
		}
	}, [client, nodes, user, round])
	return state
}

function JoinBody({ state, onAgain }: { readonly state: JoinState; readonly onAgain: () => void }) {
	switch (state.kind) {
		case 'making':
			return (
				<div aria-busy="true">
					<Skeleton className="h-[9.375rem] w-full" />
					<Skeleton className="mt-4 h-10 w-full" />
				</div>
			)
		case 'waiting':
			return (
				<>
					<CopyBlock text={state.offer.command} label="Join command" />
					<Waiting expiresAtMs={state.offer.expiresAtMs} />
					<p className="mt-3 text-sm text-muted">
						The command holds a one-time secret: paste it only on that machine. It needs{' '}
						<code className="text-xs whitespace-nowrap text-text">sally</code> there first; and{' '}
						<code className="text-xs whitespace-nowrap text-text">sally agent install</code> afterwards keeps the machine
						reachable after a reboot.
					</p>
				</>
			)
		case 'joined':
			return (
				<div role="status" className="flex items-center gap-3 rounded-lg bg-accent-soft px-4 py-4">
					<span className="flex size-7 items-center justify-center rounded-full bg-accent text-on-accent">
						<Check className="size-4" aria-hidden="true" />
					</span>
					<div className="min-w-0">
						<div className="truncate font-medium">{plainLine(state.node.name)} joined and is paired</div>
						<div className="text-sm text-muted">Its terminal opens with no further step.</div>
					</div>
				</div>
			)
		case 'failed':
			return (
				<div className="flex flex-col items-start gap-3">
					<Callout tone="danger">{state.problem.message}</Callout>
					<Button onClick={onAgain}>Make a new command</Button>
				</div>
			)
	}
}

function Waiting({ expiresAtMs }: { readonly expiresAtMs: number }) {
	const now = useNow(1000)
	return (
		<div className="mt-4 flex items-center gap-2.5 rounded-lg border border-line px-3 py-2.5 text-sm">
			<LoaderCircle className="size-4 animate-spin text-accent" aria-hidden="true" />
			<span role="status" className="flex-1">
				Waiting for the machine…
			</span>
			<span className="tabular text-muted">expires in {formatCountdown(expiresAtMs, now)}</span>
		</div>
	)
}
