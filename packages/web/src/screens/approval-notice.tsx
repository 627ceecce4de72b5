import { ShieldQuestion } from 'lucide-react'
import { useState } from 'react'
import { useStore } from 'zustand'
import { useServices } from '../app/services.tsx'
import { formatCountdown } from '../lib/format.ts'
import { plainLine } from '../lib/hostile-text.ts'
import { useAction } from '../lib/use-action.ts'
import { useNow } from '../lib/use-now.ts'
import type { PendingApproval } from '../state/approvals.ts'
import { Callout } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { BigDigits, DigitsInput } from '../ui/digits.tsx'

/** On a paired browser: a note that somebody asks to be let in, and the dialog that answers. */
export function ApprovalNotices() {
	const { approvals } = useServices()
	const pending = useStore(approvals.store, (state) => state.pending)
	const [opened, setOpened] = useState<PendingApproval>()
	const first = pending[0]
	return (
		<>
			{first !== undefined && opened === undefined && (
				<Notice approval={first} count={pending.length} onOpen={() => setOpened(first)} />
			)}
			{opened !== undefined && (
				<AnswerApproval approval={opened} isStillAsked={pending.includes(opened)} onClose={() => setOpened(undefined)} />
			)}
		</>
	)
}

function Notice({
	approval,
	count,
	onOpen,
}: {
	readonly approval: PendingApproval
	readonly count: number
	readonly onOpen: () => void
}) {
	return (
		<div
			role="alert"
			className="anim-pop fixed inset-x-3 top-14 z-40 mx-auto flex max-w-[34rem] items-center gap-3 rounded-xl border border-line bg-raised py-2.5 pr-2.5 pl-3.5 shadow-pop"
		>
			<ShieldQuestion className="size-5 shrink-0 text-warn" aria-hidden="true" />
			<div className="min-w-0 flex-1 text-sm">
				<div className="line-clamp-2 font-medium">
					{plainLine(approval.request.device_name, 40)} asks to be let in at {plainLine(approval.nodeName, 40)}
				</div>
				{count > 1 && <div className="text-xs text-muted">and {count - 1} more</div>}
			</div>
			<Button size="sm" variant="primary" onClick={onOpen}>
				Review
			</Button>
		</div>
	)
}

interface AnswerProps {
	readonly approval: PendingApproval
	readonly isStillAsked: boolean
	readonly onClose: () => void
}

function AnswerApproval({ approval, isStillAsked, onClose }: AnswerProps) {
	const { approvals } = useServices()
	const { request, connection } = approval
	const [digits, setDigits] = useState('')
	const [returnCode, setReturnCode] = useState<string>()
	const node = plainLine(approval.nodeName, 60)
	const approve = useAction(async (typed: string) => setReturnCode(await connection.approvePairing(request.request_id, typed)))
	const deny = useAction(() => connection.denyPairing(request.request_id))
	const refuse = async () => {
		if (!(await deny.run())) return
		approvals.dismiss(request.request_id)
		onClose()
	}
	if (returnCode !== undefined) {
		return (
			<Dialog
				isOpen
				onOpenChange={onClose}
				title="Now type this on the new device"
				description="It then knows that it reached the real machine."
				width="sm"
				footer={
					<Button variant="primary" onClick={onClose}>
						Done
					</Button>
				}
			>
				<div className="rounded-xl border border-line bg-sunken py-7">
					<BigDigits digits={returnCode} label="Return code" />
				</div>
			</Dialog>
		)
	}
	return (
		<Dialog
			isOpen
			onOpenChange={onClose}
			title={`Let a device in at ${node}?`}
			description="It will be able to open shells there. Let it in only if you have it before you."
			footer={
				<>
					<Button variant="ghost" className="mr-auto text-danger" isBusy={deny.isBusy} onClick={() => void refuse()}>
						Refuse
					</Button>
					<Button onClick={onClose}>Later</Button>
					<Button
						variant="primary"
						disabled={digits.length !== 6 || !isStillAsked}
						isBusy={approve.isBusy}
						onClick={() => void approve.run(digits)}
					>
						Let in
					</Button>
				</>
			}
		>
			<RequestFacts approval={approval} />
			<div className="mt-5">
				<DigitsInput
					label="The six digits that the device shows"
					length={6}
					value={digits}
					isDisabled={approve.isBusy || !isStillAsked}
					isInvalid={approve.problem !== undefined}
					onChange={(next) => {
						setDigits(next)
						approve.clear()
					}}
					onComplete={(typed) => void approve.run(typed)}
				/>
			</div>
			<div className="mt-4 flex flex-col gap-2 empty:hidden">
				{!isStillAsked && <Callout tone="warn">This request is over. The device can ask again.</Callout>}
				{approve.problem !== undefined && (
					<Callout tone="danger">{explain(approve.problem.code, approve.problem.message)}</Callout>
				)}
				{deny.problem !== undefined && <Callout tone="danger">{deny.problem.message}</Callout>}
			</div>
		</Dialog>
	)
}

function RequestFacts({ approval }: { readonly approval: PendingApproval }) {
	const now = useNow(1000)
	const { request } = approval
	const rows = [
		['Device', plainLine(request.device_name)],
		['Kind', request.device_kind === 'browser' ? 'Browser' : 'Command line'],
		['User', `${plainLine(request.user)} (as the relay says)`],
		['From', plainLine(request.address)],
		['Fingerprint', request.fingerprint],
		['Expires in', formatCountdown(request.expires, now)],
	] as const
	return (
		<dl className="grid grid-cols-[auto_1fr] gap-x-5 gap-y-1.5 rounded-xl border border-line bg-sunken px-4 py-3 text-sm">
			{rows.map(([term, value]) => (
				<div key={term} className="contents">
					<dt className="text-muted">{term}</dt>
					<dd className={`min-w-0 [overflow-wrap:anywhere] ${term === 'Fingerprint' ? 'font-mono text-xs leading-5' : ''}`}>
						{value}
					</dd>
				</div>
			))}
		</dl>
	)
}

function explain(code: string, message: string): string {
	if (code === 'wrong_code') return 'These are not the digits of that device. One more mistake ends the request.'
	if (code === 'burned')
		return 'Wrong twice: the request has ended. If you typed what the device shows, something stands between it and the machine.'
	if (code === 'expired') return 'The request has expired. Ask again on the device.'
	return message
}
