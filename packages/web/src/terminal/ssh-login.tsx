import type { HostKeyNotice, LoginPrompt } from '@sallyport/protocol'
import { FileKey, KeyRound } from 'lucide-react'
import type { SubmitEvent } from 'react'
import { useId, useState } from 'react'
import { plainLine } from '../lib/hostile-text.ts'
import { sentence } from '../lib/problem.ts'
import type { LoginAnswer, Tab, TabQuestion } from '../state/tabs.ts'
import { Callout } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { Segmented } from '../ui/choice.tsx'
import { PasswordField, TextField } from '../ui/field.tsx'
import { PrivateKeyField } from './private-key-field.tsx'
import { TabCard } from './questions.tsx'

export interface SshLoginProps {
	readonly tab: Tab
	readonly question: Extract<TabQuestion, { kind: 'login' }>
}

/** What the server behind the machine asks for. All of it travels inside the link alone. */
export function SshLogin({ tab, question }: SshLoginProps) {
	const { prompt, answer } = question
	const formId = useId()
	const mayUseKey = prompt.kind !== 'username' && prompt.kind !== 'passphrase' && prompt.methods.includes('public_key')
	const [way, setWay] = useState<'asked' | 'key'>('asked')
	const [values, setValues] = useState<readonly string[]>(() => prompt.prompts.map(() => ''))
	const [key, setKey] = useState('')
	const [passphrase, setPassphrase] = useState('')
	const isKey = mayUseKey && way === 'key'
	const submit = (event: SubmitEvent) => {
		event.preventDefault()
		answer(toAnswer(isKey ? { key, passphrase } : { values }))
	}
	return (
		<TabCard
			title={`Log in to ${plainLine(tab.nodeName, 60)} by SSH`}
			onCancel={() => answer(undefined)}
			actions={
				<Button
					type="submit"
					form={formId}
					variant="primary"
					disabled={isKey ? key.trim() === '' : prompt.kind === 'username' && values[0] === ''}
				>
					{prompt.kind === 'username' ? 'Continue' : 'Log in'}
				</Button>
			}
		>
			<form id={formId} onSubmit={submit} className="flex flex-col gap-4">
				{tab.hostKey !== undefined && <HostKey notice={tab.hostKey} />}
				{prompt.error !== undefined && <Callout tone="danger">{sentence(plainLine(prompt.error, 400))}</Callout>}
				{mayUseKey && (
					<Segmented
						label="Way to log in"
						value={way}
						onChange={setWay}
						options={[
							{
								value: 'asked',
								label: prompt.kind === 'password' ? 'Password' : 'Password or code',
								icon: <KeyRound className="size-4" />,
							},
							{ value: 'key', label: 'Private key', icon: <FileKey className="size-4" /> },
						]}
					/>
				)}
				{isKey ? (
					<PrivateKeyField value={key} onChange={setKey} passphrase={passphrase} onPassphrase={setPassphrase} />
				) : (
					<Prompts prompt={prompt} values={values} onChange={setValues} />
				)}
			</form>
		</TabCard>
	)
}

function toAnswer(
	input: { readonly values: readonly string[] } | { readonly key: string; readonly passphrase: string },
): LoginAnswer {
	if ('values' in input) return { answers: input.values }
	// Keys end in a line break; pasting often loses it.
	const key = `${input.key.trim()}\n`
	return { privateKey: input.passphrase === '' ? { key } : { key, passphrase: input.passphrase } }
}

interface PromptsProps {
	readonly prompt: LoginPrompt
	readonly values: readonly string[]
	readonly onChange: (values: readonly string[]) => void
}

function Prompts({ prompt, values, onChange }: PromptsProps) {
	return (
		<>
			{prompt.title !== undefined && prompt.title !== '' && <p className="text-sm font-medium">{plainLine(prompt.title, 200)}</p>}
			{prompt.instructions !== undefined && prompt.instructions !== '' && (
				<p className="text-sm [overflow-wrap:anywhere] whitespace-pre-line text-muted">{prompt.instructions}</p>
			)}
			{prompt.prompts.map((asked, index) => {
				const label = plainLine(asked.text, 200).replace(/:$/, '') || 'Answer'
				const FieldKind = asked.echo ? TextField : PasswordField
				return (
					<FieldKind
						// biome-ignore lint/suspicious/noArrayIndexKey: answers go by place
						key={index}
						label={label}
						name={prompt.kind === 'username' ? 'username' : `answer-${index}`}
						autoComplete={prompt.kind === 'username' ? 'username' : prompt.kind === 'password' ? 'current-password' : 'off'}
						autoCapitalize="off"
						spellCheck={false}
						autoFocus={index === 0}
						value={values[index] ?? ''}
						onChange={(event) => onChange(values.map((value, place) => (place === index ? event.target.value : value)))}
					/>
				)
			})}
		</>
	)
}

function HostKey({ notice }: { readonly notice: HostKeyNotice }) {
	return (
		<div className="rounded-lg border border-line bg-sunken px-3 py-2.5">
			<div className="text-xs text-muted">
				Host key of {plainLine(notice.host, 80)}, port {notice.port} ({plainLine(notice.key_type, 40)}),{' '}
				{notice.state === 'known' ? 'as pinned before' : 'seen for the first time and now pinned'}
			</div>
			<div className="mt-0.5 font-mono text-xs leading-5 break-all">{plainLine(notice.fingerprint)}</div>
		</div>
	)
}
