import type { Scope, TokenCreated } from '@sallyport/protocol'
import { Check } from 'lucide-react'
import { Checkbox } from 'radix-ui'
import type { SubmitEvent } from 'react'
import { useId, useState } from 'react'
import { useServices } from '../app/services.tsx'
import { useAction } from '../lib/use-action.ts'
import { Callout } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Field, Select, TextField } from '../ui/field.tsx'

const SCOPE_CHOICES: readonly { readonly scope: Scope; readonly label: string }[] = [
	{ scope: 'nodes:read', label: 'See machines, their figures and connections' },
	{ scope: 'nodes:open', label: 'Knock at machines; each still decides whom it lets in' },
	{ scope: 'nodes:enrol', label: 'Enrol new machines as yours' },
]

export function CreateToken({
	onClose,
	onCreated,
}: {
	readonly onClose: () => void
	readonly onCreated: (created: TokenCreated) => void
}) {
	const { client } = useServices()
	const [name, setName] = useState('')
	const [scopes, setScopes] = useState<readonly Scope[]>(['nodes:read'])
	const [days, setDays] = useState('90')
	const create = useAction(async () =>
		onCreated(await client.api.createToken({ name: name.trim(), scopes, expires_in_days: Number(days) })),
	)
	const submit = (event: SubmitEvent) => {
		event.preventDefault()
		void create.run()
	}
	return (
		<Dialog
			isOpen
			onOpenChange={onClose}
			title="New access token"
			footer={
				<>
					<Button onClick={onClose}>Cancel</Button>
					<Button
						variant="primary"
						type="submit"
						form="create-token"
						isBusy={create.isBusy}
						disabled={name.trim() === '' || scopes.length === 0}
					>
						Create token
					</Button>
				</>
			}
		>
			<form id="create-token" onSubmit={submit} className="flex flex-col gap-5">
				<TextField
					label="Name"
					value={name}
					maxLength={64}
					autoFocus
					placeholder="ci-runner"
					onChange={(event) => setName(event.target.value)}
					hint="What it is for, so that you know it again."
				/>
				<fieldset>
					<legend className="mb-1.5 text-sm font-medium">Scopes</legend>
					<div className="divide-y divide-line rounded-lg border border-line">
						{SCOPE_CHOICES.map(({ scope, label }) => (
							<ScopeChoice
								key={scope}
								scope={scope}
								label={label}
								isOn={scopes.includes(scope)}
								onChange={(isOn) => setScopes(isOn ? [...scopes, scope] : scopes.filter((one) => one !== scope))}
							/>
						))}
					</div>
				</fieldset>
				<Field label="Ends after">
					{(ids) => (
						<Select {...ids} value={days} onChange={(event) => setDays(event.target.value)}>
							<option value="7">7 days</option>
							<option value="30">30 days</option>
							<option value="90">90 days</option>
							<option value="180">180 days</option>
							<option value="366">1 year</option>
						</Select>
					)}
				</Field>
				{create.problem !== undefined && <Callout tone="danger">{create.problem.message}</Callout>}
			</form>
		</Dialog>
	)
}

interface ScopeChoiceProps {
	readonly scope: Scope
	readonly label: string
	readonly isOn: boolean
	readonly onChange: (isOn: boolean) => void
}

function ScopeChoice({ scope, label, isOn, onChange }: ScopeChoiceProps) {
	const id = useId()
	return (
		<div className="flex items-start gap-3 px-3 py-2.5">
			<Checkbox.Root
				id={id}
				checked={isOn}
				onCheckedChange={(next) => onChange(next === true)}
				className="mt-0.5 flex size-4.5 shrink-0 items-center justify-center rounded border border-line-strong bg-surface data-[state=checked]:border-accent data-[state=checked]:bg-accent"
			>
				<Checkbox.Indicator>
					<Check className="size-3.5 text-on-accent" strokeWidth={3} />
				</Checkbox.Indicator>
			</Checkbox.Root>
			<label htmlFor={id} className="min-w-0 flex-1 text-sm">
				<span className="block font-mono text-xs leading-5">{scope}</span>
				<span className="block text-muted">{label}</span>
			</label>
		</div>
	)
}
