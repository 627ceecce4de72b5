import type { InviteBundle, UserInfo } from '@sallyport/protocol'
import { Server } from 'lucide-react'
import { toast } from 'sonner'
import { useLocation } from 'wouter'
import { useAccount, useServices } from '../app/services.tsx'
import { groupId } from '../lib/format.ts'
import { plainLine } from '../lib/hostile-text.ts'
import { inviteLife } from '../lib/invite-life.ts'
import { useAction } from '../lib/use-action.ts'
import { useNow } from '../lib/use-now.ts'
import { Callout } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { FrontDoor, Steps } from './front-door.tsx'
import { FIRST_RUN_STEPS } from './set-up.tsx'

/** The second step of the first run: this browser and the machine come to know each other. */
export function FirstRunInvite({ invite, user }: { readonly invite: InviteBundle; readonly user: UserInfo }) {
	const { account } = useServices()
	const pair = usePairByInvite(invite)
	return (
		<FrontDoor
			title="Pair this browser with the machine"
			lead={`The account is yours, ${user.username}. An account alone opens no machine: each also decides itself which browsers it lets in.`}
			note="Each further browser or laptop is let in by a code that you type, so a stolen password opens no machine."
		>
			<Steps names={FIRST_RUN_STEPS} current={1} />
			<InviteDetails invite={invite} />
			<div className="mt-5 flex flex-col gap-2">
				{pair.problem !== undefined && <Callout tone="danger">{pair.problem.message}</Callout>}
				<Button variant="primary" size="lg" isBusy={pair.isBusy} onClick={() => void pair.run()} autoFocus>
					Pair with {plainLine(invite.node_name, 40)}
				</Button>
				<Button variant="ghost" size="lg" onClick={account.dropInvite} disabled={pair.isBusy}>
					Not now
				</Button>
			</div>
		</FrontDoor>
	)
}

/** An `#invite=` link opened by someone who is signed in. */
export function InviteDialog() {
	const { account } = useServices()
	const { invite, inviteProblem } = useAccount()
	if (inviteProblem !== undefined) {
		return (
			<Dialog
				isOpen
				onOpenChange={account.dropInvite}
				title="This invite can’t be read"
				width="sm"
				footer={<Button onClick={account.dropInvite}>Close</Button>}
			>
				<Callout tone="danger">{inviteProblem}</Callout>
			</Dialog>
		)
	}
	return invite === undefined ? null : <OpenInvite invite={invite} />
}

function OpenInvite({ invite }: { readonly invite: InviteBundle }) {
	const { account, client } = useServices()
	const pair = usePairByInvite(invite)
	const now = useNow(1000)
	const refusal = inviteRefusal(invite, client.origin, now)
	return (
		<Dialog
			isOpen
			onOpenChange={account.dropInvite}
			title="Pair this browser with a machine?"
			description="Somebody at the machine made this invite. Go on only if you expected it."
			footer={
				<>
					<Button onClick={account.dropInvite}>Cancel</Button>
					<Button variant="primary" isBusy={pair.isBusy} disabled={refusal !== undefined} onClick={() => void pair.run()}>
						Pair
					</Button>
				</>
			}
		>
			<div className="flex flex-col gap-3">
				<InviteDetails invite={invite} />
				{refusal !== undefined && <Callout tone="danger">{refusal}</Callout>}
				{pair.problem !== undefined && <Callout tone="danger">{pair.problem.message}</Callout>}
			</div>
		</Dialog>
	)
}

/** Why an invite can't be used here, before anything is dialled. */
export function inviteRefusal(
	invite: Pick<InviteBundle, 'origin' | 'expires'>,
	origin: string,
	nowMs: number,
): string | undefined {
	if (invite.origin !== origin) return `This invite is for the relay at ${invite.origin}. Open it there.`
	if (invite.expires <= nowMs) return 'This invite has expired. Make a new one on the machine: sally agent invite'
	return undefined
}

function InviteDetails({ invite }: { readonly invite: InviteBundle }) {
	const now = useNow(1000)
	return (
		<div className="rounded-xl border border-line bg-surface shadow-card">
			<div className="flex items-center gap-3 px-4 py-3.5">
				<span className="flex size-9 items-center justify-center rounded-lg border border-line bg-sunken text-muted">
					<Server className="size-4" aria-hidden="true" />
				</span>
				<div className="min-w-0 flex-1">
					<div className="truncate text-base font-semibold">{plainLine(invite.node_name)}</div>
					<div className="tabular text-sm text-muted">{inviteLife(invite.expires, now)}</div>
				</div>
			</div>
			<div className="border-t border-line px-4 py-3">
				<div className="text-xs text-muted">Fingerprint: the same as the machine shows</div>
				<div className="mt-1 font-mono text-xs leading-5 break-words">{groupId(invite.node_id)}</div>
			</div>
		</div>
	)
}

function usePairByInvite(invite: InviteBundle) {
	const { client, account, nodes } = useServices()
	const [, navigate] = useLocation()
	return useAction(async () => {
		const pairing = await client.pairByInvite(invite)
		await nodes.refreshPairings()
		account.dropInvite()
		navigate('/machines')
		toast.success(`This browser is paired with ${plainLine(pairing.nodeName, 60)}`)
	})
}
