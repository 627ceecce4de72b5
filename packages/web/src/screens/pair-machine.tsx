import type { ApprovalRequest, ApprovalState } from '@sallyport/client'
import type { NodeInfo } from '@sallyport/protocol'
import { LoaderCircle, ShieldCheck } from 'lucide-react'
import { useEffect, useState } from 'react'
import { useServices } from '../app/services.tsx'
import { formatCountdown } from '../lib/format.ts'
import { plainLine } from '../lib/hostile-text.ts'
import { sentence } from '../lib/problem.ts'
import { useAction } from '../lib/use-action.ts'
import { useNow } from '../lib/use-now.ts'
import { useOpenTerminal } from '../lib/use-open-terminal.ts'
import { Callout } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { BigDigits, DigitsInput } from '../ui/digits.tsx'

/** The approve code from the new browser's side: six digits out, four digits back. */
export function PairMachine({ node, onClose }: { readonly node: NodeInfo; readonly onClose: () => void }) {
	const { client, nodes } = useServices()
	const openTerminal = useOpenTerminal()
	const [round, setRound] = useState(0)
	const [request, setRequest] = useState<ApprovalRequest>()
	const [state, setState] = useState<ApprovalState>({ kind: 'connecting' })
	const name = plainLine(node.name, 60)
	// biome-ignore lint/correctness/useExhaustiveDependencies: a new round makes a new request
	useEffect(() => {
		const made = client.requestApproval(node.id)
		setRequest(made)
		setState({ kind: 'connecting' })
		const stop = made.onState((next) => {
			setState(next)
			if (next.kind === 'paired') void nodes.refreshPairings()
		})
		// Every promise of a request fails with it; the state tells the person.
		for (const promise of [made.code, made.expiresAtMs, made.paired]) promise.catch(() => {})
		return () => {
			stop()
			made.cancel()
		}
	}, [client, nodes, node.id, round])
	return (
		<Dialog
			isOpen
			onOpenChange={onClose}
			title={state.kind === 'paired' ? `Paired with ${name}` : `Pair this browser with ${name}`}
			{...(state.kind === 'paired'
				? {}
				: {
						description:
							'The machine itself must let this browser in. Codes are typed both ways, so that nobody can stand in between.',
					})}
			footer={
				state.kind === 'paired' ? (
					<>
						<Button onClick={onClose}>Done</Button>
						<Button
							variant="primary"
							autoFocus
							onClick={() => {
								onClose()
								openTerminal(node, 'shell')
							}}
						>
							Open terminal
						</Button>
					</>
				) : state.kind === 'failed' ? (
					<>
						<Button onClick={onClose}>Close</Button>
						<Button variant="primary" onClick={() => setRound(round + 1)}>
							Try again
						</Button>
					</>
				) : (
					<Button onClick={onClose}>Cancel</Button>
				)
			}
		>
			<div className="min-h-[15rem]">
				{request !== undefined && <Progress state={state} request={request} name={name} fingerprint={client.fingerprint} />}
			</div>
		</Dialog>
	)
}

interface ProgressProps {
	readonly state: ApprovalState
	readonly request: ApprovalRequest
	readonly name: string
	readonly fingerprint: string
}

function Progress({ state, request, name, fingerprint }: ProgressProps) {
	switch (state.kind) {
		case 'connecting':
			return <Wait text={`Asking ${name}…`} />
		case 'queued':
			return <Wait text={`Another request is before this one (place ${state.position}). It moves on by itself.`} />
		case 'code':
			return <ShowCode code={state.code} expiresAtMs={state.expiresAtMs} name={name} fingerprint={fingerprint} />
		case 'approved':
			return <EnterReturnCode request={request} name={name} />
		case 'paired':
			return (
				<div className="flex min-h-[15rem] flex-col items-center justify-center gap-3 text-center">
					<ShieldCheck className="size-10 text-accent" aria-hidden="true" />
					<p className="max-w-xs text-base text-muted">
						Both sides have proven their keys. What passes between them is encrypted end to end.
					</p>
				</div>
			)
		case 'failed':
			return (
				<Callout tone="danger" title="This browser was not paired">
					{sentence(state.reason)}
				</Callout>
			)
	}
}

function Wait({ text }: { readonly text: string }) {
	return (
		<div role="status" className="flex min-h-[15rem] items-center justify-center gap-2.5 text-base text-muted">
			<LoaderCircle className="size-4 shrink-0 animate-spin text-accent" aria-hidden="true" />
			{text}
		</div>
	)
}

function ShowCode({
	code,
	expiresAtMs,
	name,
	fingerprint,
}: {
	readonly code: string
	readonly expiresAtMs: number
	readonly name: string
	readonly fingerprint: string
}) {
	const now = useNow(1000)
	return (
		<div>
			<div className="rounded-xl border border-line bg-sunken py-7">
				<BigDigits digits={code} label="Approve code" />
			</div>
			<div className="tabular mt-2 flex justify-between gap-4 text-xs text-muted">
				<span>
					This browser: <span className="font-mono">{fingerprint}</span>
				</span>
				<span>expires in {formatCountdown(expiresAtMs, now)}</span>
			</div>
			<ul className="mt-4 flex list-disc flex-col gap-1.5 pl-4 text-sm marker:text-muted">
				<li>
					On {name}: <code className="text-xs whitespace-nowrap">sally agent approve {code}</code>
				</li>
				<li>or in a browser that is already paired with it: type the code into the notice that has just appeared there.</li>
			</ul>
			<p className="mt-3 text-sm text-muted">You are then shown four digits there; this page asks for them.</p>
		</div>
	)
}

function EnterReturnCode({ request, name }: { readonly request: ApprovalRequest; readonly name: string }) {
	const [digits, setDigits] = useState('')
	const [isWrong, setWrong] = useState(false)
	const confirm = useAction(async (code: string) => {
		if (await request.confirm(code)) return
		setWrong(true)
		setDigits('')
	})
	return (
		<div className="flex flex-col gap-4">
			<p className="text-base">
				{name} has let this browser in. Now type the four digits that were shown there: they prove that you are talking to {name}{' '}
				and to nobody else.
			</p>
			<DigitsInput
				label="Return code"
				length={4}
				value={digits}
				isDisabled={confirm.isBusy}
				isInvalid={isWrong}
				onChange={(next) => {
					setDigits(next)
					if (next !== '') setWrong(false)
				}}
				onComplete={(code) => void confirm.run(code)}
			/>
			{isWrong && (
				<Callout tone="danger">
					These digits don’t match. If you typed them as shown, something stands between you and the machine: don’t go on.
				</Callout>
			)}
			{confirm.problem !== undefined && <Callout tone="danger">{confirm.problem.message}</Callout>}
		</div>
	)
}
