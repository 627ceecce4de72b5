import type { TokenCreated, TokenInfo } from '@sallyport/protocol'
import { KeySquare, Plus } from 'lucide-react'
import { useState } from 'react'
import { toast } from 'sonner'
import { useServices } from '../app/services.tsx'
import { formatAgo, formatDate } from '../lib/format.ts'
import { plainLine } from '../lib/hostile-text.ts'
import { useAction } from '../lib/use-action.ts'
import { useLoaded } from '../lib/use-loaded.ts'
import { useNow } from '../lib/use-now.ts'
import { Badge, Callout, EmptyState } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { CopyBlock } from '../ui/copy.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { List, Row, Section } from '../ui/page.tsx'
import { CreateToken } from './create-token.tsx'
import { LoadStates } from './load-states.tsx'

/** Access tokens for scripts and agents. */
export function Tokens() {
	const { client } = useServices()
	const [state, reload] = useLoaded(() => client.api.tokens(), [client])
	const [isCreating, setCreating] = useState(false)
	const [created, setCreated] = useState<TokenCreated>()
	const [revoking, setRevoking] = useState<TokenInfo>()
	const create = (
		<Button icon={<Plus className="size-4" />} onClick={() => setCreating(true)}>
			New token
		</Button>
	)
	return (
		<Section
			title="Access tokens"
			description="For scripts, and to enrol many machines. A token speaks for you at the relay; it can neither make tokens nor let devices in."
			actions={state.kind === 'ready' && state.value.length > 0 ? create : undefined}
		>
			<LoadStates
				state={state}
				onRetry={reload}
				empty={
					<EmptyState icon={KeySquare} title="No access tokens" action={create}>
						Each has a name, an end date and only the scopes that you give it.
					</EmptyState>
				}
			>
				{(tokens) => (
					<List label="Access tokens">
						{tokens.map((token) => (
							<TokenRow key={token.id} token={token} onRevoke={() => setRevoking(token)} />
						))}
					</List>
				)}
			</LoadStates>
			{isCreating && (
				<CreateToken
					onClose={() => setCreating(false)}
					onCreated={(token) => {
						setCreating(false)
						setCreated(token)
						reload()
					}}
				/>
			)}
			{created !== undefined && <ShowToken created={created} onClose={() => setCreated(undefined)} />}
			{revoking !== undefined && (
				<RevokeToken
					token={revoking}
					onClose={(isRevoked) => {
						setRevoking(undefined)
						if (isRevoked) reload()
					}}
				/>
			)}
		</Section>
	)
}

function TokenRow({ token, onRevoke }: { readonly token: TokenInfo; readonly onRevoke: () => void }) {
	const now = useNow(15_000)
	const name = plainLine(token.name, 80)
	return (
		<Row
			icon={<KeySquare />}
			title={
				<>
					{name}
					{token.expires_at <= now && <Badge tone="danger">expired</Badge>}
				</>
			}
			meta={
				<>
					<span className="font-mono text-xs">{token.scopes.join('  ')}</span>
					<span className="block">
						{token.last_used_at === undefined ? 'Never used' : `Used ${formatAgo(token.last_used_at, now)}`},{' '}
						{token.expires_at <= now ? 'ended' : 'until'} {formatDate(token.expires_at)}
					</span>
				</>
			}
			actions={
				<Button size="sm" aria-label={`Revoke ${name}`} onClick={onRevoke}>
					Revoke
				</Button>
			}
		/>
	)
}

function ShowToken({ created, onClose }: { readonly created: TokenCreated; readonly onClose: () => void }) {
	return (
		<Dialog
			isOpen
			onOpenChange={onClose}
			isDismissible={false}
			title={`Copy ${plainLine(created.info.name, 60)} now`}
			description="It is shown this once. The relay keeps only a hash of it."
			footer={<Button onClick={onClose}>I have copied it</Button>}
		>
			<CopyBlock text={created.token} label="Access token" />
		</Dialog>
	)
}

function RevokeToken({ token, onClose }: { readonly token: TokenInfo; readonly onClose: (isRevoked: boolean) => void }) {
	const { client } = useServices()
	const revoke = useAction(() => client.api.revokeToken(token.id))
	const name = plainLine(token.name, 60)
	return (
		<Dialog
			isOpen
			onOpenChange={() => onClose(false)}
			title={`Revoke ${name}?`}
			width="sm"
			footer={
				<>
					<Button onClick={() => onClose(false)}>Cancel</Button>
					<Button
						variant="danger"
						isBusy={revoke.isBusy}
						onClick={async () => {
							if (!(await revoke.run())) return
							toast.success(`${name} was revoked`)
							onClose(true)
						}}
					>
						Revoke
					</Button>
				</>
			}
		>
			<div className="flex flex-col gap-3 text-sm text-muted">
				<p>Whatever uses it is refused and its connections end at once. This can’t be undone.</p>
				{revoke.problem !== undefined && <Callout tone="danger">{revoke.problem.message}</Callout>}
			</div>
		</Dialog>
	)
}
