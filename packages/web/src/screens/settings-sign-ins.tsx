import type { AccessSessionInfo } from '@sallyport/protocol'
import { Globe, Terminal } from 'lucide-react'
import { toast } from 'sonner'
import { useServices } from '../app/services.tsx'
import { formatAgo, formatDate } from '../lib/format.ts'
import { plainLine } from '../lib/hostile-text.ts'
import { useAction } from '../lib/use-action.ts'
import { useLoaded } from '../lib/use-loaded.ts'
import { useNow } from '../lib/use-now.ts'
import { Badge, EmptyState } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { List, Row, Section } from '../ui/page.tsx'
import { LoadStates } from './load-states.tsx'

/** Where this account is signed in at the relay: door one. Door two is on the devices page. */
export function SignIns() {
	const { client } = useServices()
	const [state, reload] = useLoaded(() => client.api.accessSessions(), [client])
	return (
		<Section
			title="Where you are signed in"
			description="Ending one closes its connections at once. Its pairings with machines stay until they are revoked under Devices."
		>
			<LoadStates state={state} onRetry={reload} empty={<EmptyState icon={Globe} title="No other sign-in" />}>
				{(sessions) => (
					<List label="Sign-ins">
						{sessions.map((session) => (
							<SignInRow key={session.id} session={session} onEnded={reload} />
						))}
					</List>
				)}
			</LoadStates>
		</Section>
	)
}

function SignInRow({ session, onEnded }: { readonly session: AccessSessionInfo; readonly onEnded: () => void }) {
	const { client } = useServices()
	const now = useNow(15_000)
	const end = useAction(() => client.api.endAccessSession(session.id))
	const name = plainLine(session.device_name, 80)
	return (
		<Row
			icon={session.kind === 'web' ? <Globe /> : <Terminal />}
			title={
				<>
					{name} {session.current && <Badge tone="accent">this browser</Badge>}
				</>
			}
			meta={
				<>
					{plainLine(session.address, 60)}, active {formatAgo(session.last_active_at, now)}, until{' '}
					{formatDate(session.expires_at)}
					{end.problem !== undefined && <span className="block text-danger">{end.problem.message}</span>}
				</>
			}
			actions={
				!session.current && (
					<Button
						size="sm"
						isBusy={end.isBusy}
						aria-label={`End the sign-in of ${name}`}
						onClick={async () => {
							if (!(await end.run())) return
							toast.success(`${name} was signed out`)
							onEnded()
						}}
					>
						End
					</Button>
				)
			}
		/>
	)
}
