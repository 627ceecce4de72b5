import type { Pairing } from '@sallyport/client'
import { ChevronRight, Laptop, Server } from 'lucide-react'
import { useState } from 'react'
import { Link } from 'wouter'
import { useNodes, useServices } from '../app/services.tsx'
import { formatDate } from '../lib/format.ts'
import { plainLine } from '../lib/hostile-text.ts'
import { useLoaded } from '../lib/use-loaded.ts'
import { Badge, Callout, EmptyState, Skeleton, StatusDot } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { CopyIcon } from '../ui/copy.tsx'
import { Card, Page, Section } from '../ui/page.tsx'
import { NodeDevices } from './node-devices.tsx'

/** Which devices are let in where. Each machine keeps its own list; the relay has none. */
export function Devices() {
	const { pairings, feed } = useNodes()
	return (
		<Page
			title="Devices"
			description="Each machine decides itself which browsers and CLIs it lets in, and keeps its own list. The relay has no part in it."
			width="narrow"
		>
			<Section title="This browser">
				<ThisBrowser />
			</Section>
			<Section
				title="Machines that let this browser in"
				description="Open one to see every device that it lets in, and to revoke one."
			>
				{pairings.size === 0 && feed.kind !== 'loading' ? (
					<EmptyState icon={Laptop} title="Paired with no machine yet">
						Choose a machine and “Pair this browser”, or add a new one: it is paired as it joins.
					</EmptyState>
				) : (
					<ul className="divide-y divide-line overflow-hidden rounded-xl border border-line bg-surface shadow-card">
						{[...pairings.values()].map((pairing) => (
							<PairingRow key={pairing.nodeId} pairing={pairing} />
						))}
					</ul>
				)}
			</Section>
		</Page>
	)
}

function ThisBrowser() {
	const { client } = useServices()
	const { pairings } = useNodes()
	return (
		<Card>
			<div className="flex items-center gap-3">
				<span className="flex size-9 items-center justify-center rounded-lg border border-line bg-sunken text-muted">
					<Laptop className="size-4" aria-hidden="true" />
				</span>
				<div className="min-w-0 flex-1">
					<div className="text-sm text-muted">Fingerprint of its key</div>
					<div className="font-mono text-base break-words">{client.fingerprint}</div>
				</div>
				<CopyIcon text={client.fingerprint} label="Copy the fingerprint" />
			</div>
			<p className="mt-3 text-sm text-muted">
				The key was made in this browser and can’t leave it. Clearing this site’s data destroys it; this browser must then be
				paired again
				{pairings.size > 0 ? ` with ${pairings.size === 1 ? 'its machine' : `its ${pairings.size} machines`}` : ''}.
			</p>
		</Card>
	)
}

function PairingRow({ pairing }: { readonly pairing: Pairing }) {
	const { nodes } = useNodes()
	const [isOpen, setOpen] = useState(false)
	const node = nodes.get(pairing.nodeId)
	const name = plainLine(node?.name ?? pairing.nodeName, 80)
	const panelId = `devices-of-${pairing.nodeId}`
	return (
		<li>
			<div className="flex items-center gap-3 py-3 pr-3 pl-4">
				<span className="flex size-8 shrink-0 items-center justify-center rounded-lg border border-line bg-sunken text-muted">
					<Server className="size-4" aria-hidden="true" />
				</span>
				<div className="min-w-0 flex-1">
					<div className="flex items-center gap-2 text-base font-medium">
						<span className="truncate">{name}</span>
						{node === undefined ? (
							<Badge tone="warn">not on this relay</Badge>
						) : (
							<StatusDot tone={node.connected ? 'online' : 'offline'} />
						)}
					</div>
					<div className="truncate text-sm text-muted">
						Paired {formatDate(pairing.pairedAtMs)} by {pairing.pairedBy === 'approve' ? 'approve code' : pairing.pairedBy}
						<span className="max-sm:hidden">
							, <span className="font-mono text-xs">{pairing.fingerprint}</span>
						</span>
					</div>
				</div>
				<Button
					size="sm"
					variant="ghost"
					aria-expanded={isOpen}
					aria-controls={panelId}
					onClick={() => setOpen(!isOpen)}
					icon={<ChevronRight className={`size-4 transition-transform ${isOpen ? 'rotate-90' : ''}`} />}
				>
					Devices
				</Button>
			</div>
			{isOpen && (
				<div id={panelId} className="px-4 pb-4 sm:pl-15">
					{node?.connected === true ? (
						<DevicesOverLink pairing={pairing} />
					) : (
						<Callout>
							{node === undefined ? 'This machine was removed from the relay.' : 'Its list can be seen when it is back.'}{' '}
							{node !== undefined && (
								<Link href={`/machines/${pairing.nodeId}`} className="underline underline-offset-2">
									Details
								</Link>
							)}
						</Callout>
					)}
				</div>
			)}
		</li>
	)
}

function DevicesOverLink({ pairing }: { readonly pairing: Pairing }) {
	const { client, approvals } = useServices()
	const [state, reload] = useLoaded(async () => {
		const connection = await client.connect(pairing.nodeId)
		approvals.listen(connection, pairing.nodeName)
		return connection
	}, [client, pairing.nodeId])
	if (state.kind === 'loading') return <Skeleton className="h-14 w-full" />
	if (state.kind === 'failed') {
		return (
			<div className="flex flex-col items-start gap-3">
				<Callout tone="warn">{state.problem.message}</Callout>
				<Button size="sm" onClick={reload}>
					Try again
				</Button>
			</div>
		)
	}
	return <NodeDevices connection={state.value} />
}
