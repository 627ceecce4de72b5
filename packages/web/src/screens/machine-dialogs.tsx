import type { NodeInfo } from '@sallyport/protocol'
import type { SubmitEvent } from 'react'
import { useState } from 'react'
import { toast } from 'sonner'
import { useLocation } from 'wouter'
import { useServices } from '../app/services.tsx'
import { plainLine } from '../lib/hostile-text.ts'
import { useAction } from '../lib/use-action.ts'
import { Callout } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextField } from '../ui/field.tsx'
import { PairMachine } from './pair-machine.tsx'

/** What is about to be done to a machine. */
export interface MachineAct {
	readonly kind: 'rename' | 'remove' | 'pair'
	readonly node: NodeInfo
}

export function MachineDialogs({ act, onClose }: { readonly act: MachineAct | undefined; readonly onClose: () => void }) {
	switch (act?.kind) {
		case 'rename':
			return <Rename node={act.node} onClose={onClose} />
		case 'remove':
			return <Remove node={act.node} onClose={onClose} />
		case 'pair':
			return <PairMachine node={act.node} onClose={onClose} />
		case undefined:
			return null
	}
}

interface ActProps {
	readonly node: NodeInfo
	readonly onClose: () => void
}

function Rename({ node, onClose }: ActProps) {
	const { client, nodes } = useServices()
	const [name, setName] = useState(node.name)
	const rename = useAction(async () => nodes.put(await client.api.renameNode(node.id, name.trim())))
	const submit = async (event: SubmitEvent) => {
		event.preventDefault()
		if (name.trim() === node.name || (await rename.run())) onClose()
	}
	return (
		<Dialog
			isOpen
			onOpenChange={onClose}
			title="Rename machine"
			width="sm"
			footer={
				<>
					<Button onClick={onClose}>Cancel</Button>
					<Button variant="primary" type="submit" form="rename-machine" isBusy={rename.isBusy} disabled={name.trim() === ''}>
						Rename
					</Button>
				</>
			}
		>
			<form id="rename-machine" onSubmit={submit}>
				<TextField
					label="Name"
					value={name}
					maxLength={64}
					spellCheck={false}
					autoFocus
					onFocus={(event) => event.target.select()}
					onChange={(event) => setName(event.target.value)}
					hint="Only how it is called here and in the CLI; its host name stays."
					error={rename.problem?.code === 'name_taken' ? 'Another of your machines has that name' : rename.problem?.message}
				/>
			</form>
		</Dialog>
	)
}

function Remove({ node, onClose }: ActProps) {
	const { client, nodes } = useServices()
	const [, navigate] = useLocation()
	const [typed, setTyped] = useState('')
	const name = plainLine(node.name, 80)
	const remove = useAction(async () => {
		await client.api.removeNode(node.id)
		nodes.drop(node.id)
	})
	const submit = async (event: SubmitEvent) => {
		event.preventDefault()
		if (typed !== name || !(await remove.run())) return
		await client.forgetPairing(node.id)
		void nodes.refreshPairings()
		toast.success(`${name} was removed`)
		navigate('/machines')
		onClose()
	}
	return (
		<Dialog
			isOpen
			onOpenChange={onClose}
			title={`Remove ${name}?`}
			width="sm"
			footer={
				<>
					<Button onClick={onClose}>Cancel</Button>
					<Button variant="danger" type="submit" form="remove-machine" disabled={typed !== name} isBusy={remove.isBusy}>
						Remove machine
					</Button>
				</>
			}
		>
			<form id="remove-machine" onSubmit={submit} className="flex flex-col gap-4">
				<p className="text-sm text-muted">
					The relay forgets it and cuts its links now. Programs that run on it go on. To bring it back, join it again.
				</p>
				<TextField
					label={`Type ${name} to confirm`}
					value={typed}
					autoFocus
					autoComplete="off"
					autoCapitalize="off"
					spellCheck={false}
					onChange={(event) => setTyped(event.target.value)}
				/>
				{remove.problem !== undefined && <Callout tone="danger">{remove.problem.message}</Callout>}
			</form>
		</Dialog>
	)
}
