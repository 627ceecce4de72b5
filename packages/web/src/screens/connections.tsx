import type { ConnectionInfo } from '@sallyport/protocol'
import { Activity, Globe, Terminal } from 'lucide-react'
import { useEffect } from 'react'
import { toast } from 'sonner'
import { useNodes, useServices } from '../app/services.tsx'
import { formatBytes, formatDuration } from '../lib/format.ts'
import { plainLine } from '../lib/hostile-text.ts'
import { useAction } from '../lib/use-action.ts'
import { useLoaded } from '../lib/use-loaded.ts'
import { useNow } from '../lib/use-now.ts'
import { EmptyState } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { List, Page, Row } from '../ui/page.tsx'
import { LoadStates } from './load-states.tsx'

const REFRESH_MS = 5000

/** Who is on which machine, through this relay, now. */
export function Connections() {
	const { client } = useServices()
	const { nodes } = useNodes()
	const [state, reload] = useLoaded(() => client.api.connections(), [client])
	// The live list of machines tells when a link comes or goes; the byte counts need a look now and then.
	const links = [...nodes.values()].map((node) => `${node.id}:${node.links}`).join()
	// biome-ignore lint/correctness/useExhaustiveDependencies: `links` is what a reload is for
	useEffect(reload, [links, reload])
	useEffect(() => {
		const timer = setInterval(() => {
			if (document.visibilityState === 'visible') reload()
		}, REFRESH_MS)
		return () => clearInterval(timer)
	}, [reload])
	return (
		<Page
			title="Connections"
			description="Links open through this relay now. It sees who is connected, from where and how much passes; never what."
		>
			<LoadStates
				state={state}
				onRetry={reload}
				empty={
					<EmptyState icon={Activity} title="Nobody is connected">
						Open a terminal, here or by the CLI, and its link is listed.
					</EmptyState>
				}
			>
				{(connections) => (
					<List label="Connections">
						{connections.map((connection) => (
							<ConnectionRow key={connection.id} connection={connection} onEnded={reload} />
						))}
					</List>
				)}
			</LoadStates>
		</Page>
	)
}

function ConnectionRow({ connection, onEnded }: { readonly connection: ConnectionInfo; readonly onEnded: () => void }) {
	const { client } = useServices()
	const now = useNow(5000)
	const end = useAction(() => client.api.closeConnection(connection.id))
	const user = plainLine(connection.user.username, 60)
	const node = plainLine(connection.node_name, 60)
	const bytes = `${formatBytes(connection.bytes_to_client)} down, ${formatBytes(connection.bytes_to_node)} up`
	const submit = async () => {
		if (!(await end.run())) return
		toast.success(`The connection of ${user} to ${node} was ended`)
		onEnded()
	}
	return (
		<Row
			icon={connection.client_kind === 'web' ? <Globe /> : <Terminal />}
			title={
				<>
					{user} <span className="font-normal text-muted">on</span> {node}
				</>
			}
			meta={
				<>
					{connection.client_kind === 'web' ? 'Browser' : 'Command line'} from {plainLine(connection.client_address, 60)}, for{' '}
					{formatDuration(now - connection.opened_at)}
					<span className="sm:hidden">, {bytes}</span>
					{end.problem !== undefined && <span className="block text-danger">{end.problem.message}</span>}
				</>
			}
			aside={bytes}
			actions={
				<Button
					size="sm"
					isBusy={end.isBusy}
					onClick={() => void submit()}
					aria-label={`End the connection of ${user} to ${node}`}
				>
					End
				</Button>
			}
		/>
	)
}
