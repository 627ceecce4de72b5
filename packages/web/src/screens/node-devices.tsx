import type { NodeConnection } from '@sallyport/client'
import type { DeviceSessionInfo } from '@sallyport/protocol'
import { useEffect, useState } from 'react'
import { toast } from 'sonner'
import { formatAgo, formatDate } from '../lib/format.ts'
import { plainLine } from '../lib/hostile-text.ts'
import { useAction } from '../lib/use-action.ts'
import { useLoaded } from '../lib/use-loaded.ts'
import { useNow } from '../lib/use-now.ts'
import { Badge, Callout, Skeleton } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'

/** Devices that one machine lets in; what it tells depends on what this browser may there. */
export function NodeDevices({ connection }: { readonly connection: NodeConnection }) {
	const [state, reload] = useLoaded(() => connection.devices(), [connection])
	const [revoking, setRevoking] = useState<DeviceSessionInfo>()
	useEffect(
		() =>
			connection.onNotice((notice) => {
				if (notice.op === 'device_paired') reload()
			}),
		[connection, reload],
	)
	if (state.kind === 'loading') return <Skeleton className="h-14 w-full" />
	if (state.kind === 'failed') return <Callout tone="warn">{state.problem.message}</Callout>
	return (
		<>
			<ul className="divide-y divide-line rounded-lg border border-line">
				{state.value.map((device) => (
					<DeviceRow key={device.session_id} device={device} onRevoke={() => setRevoking(device)} />
				))}
			</ul>
			{revoking !== undefined && (
				<Revoke
					device={revoking}
					connection={connection}
					onClose={(isRevoked) => {
						setRevoking(undefined)
						if (isRevoked) reload()
					}}
				/>
			)}
		</>
	)
}

function DeviceRow({ device, onRevoke }: { readonly device: DeviceSessionInfo; readonly onRevoke: () => void }) {
	const now = useNow(15_000)
	const name = plainLine(device.device_name, 60)
	return (
		<li className="flex items-center gap-2 py-2 pr-2 pl-3">
			<div className="min-w-0 flex-1">
				<div className="flex flex-wrap items-center gap-x-2 gap-y-1 text-sm font-medium">
					<span className="truncate">{name}</span>
					{device.current && <Badge tone="accent">this browser</Badge>}
					{!device.current && device.connected && <Badge>connected</Badge>}
				</div>
				<div className="text-xs text-muted [overflow-wrap:anywhere]">
					{plainLine(device.user, 40)}, {device.connected ? 'here now' : `seen ${formatAgo(device.last_seen_at, now)}`}, by{' '}
					{device.paired_by === 'approve' ? 'approve code' : device.paired_by}, until{' '}
					{formatDate(Math.min(device.idle_expires_at, device.absolute_expires_at))}
				</div>
			</div>
			<Button size="sm" variant="ghost" onClick={onRevoke} aria-label={`Revoke ${name}`}>
				Revoke
			</Button>
		</li>
	)
}

interface RevokeProps {
	readonly device: DeviceSessionInfo
	readonly connection: NodeConnection
	readonly onClose: (isRevoked: boolean) => void
}

function Revoke({ device, connection, onClose }: RevokeProps) {
	const revoke = useAction(() => connection.revokeDevice(device.session_id))
	const name = plainLine(device.device_name, 60)
	const submit = async () => {
		if (!(await revoke.run())) return
		toast.success(`${name} was revoked`)
		onClose(true)
	}
	return (
		<Dialog
			isOpen
			onOpenChange={() => onClose(false)}
			title={device.current ? 'Revoke this browser?' : `Revoke ${name}?`}
			width="sm"
			footer={
				<>
					<Button onClick={() => onClose(false)}>Cancel</Button>
					<Button variant="danger" isBusy={revoke.isBusy} onClick={() => void submit()}>
						Revoke
					</Button>
				</>
			}
		>
			<div className="flex flex-col gap-3 text-sm text-muted">
				<p>
					{device.current
						? 'Your terminals on this machine close here at once, and this browser must be paired again to come back. The shells themselves go on.'
						: 'Its connections to this machine end at once, and it must be paired again to come back. Other machines are not touched.'}
				</p>
				{revoke.problem !== undefined && <Callout tone="danger">{revoke.problem.message}</Callout>}
			</div>
		</Dialog>
	)
}
