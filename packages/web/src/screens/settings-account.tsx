import type { Role, UserInfo } from '@sallyport/protocol'
import type { SubmitEvent } from 'react'
import { useState } from 'react'
import { toast } from 'sonner'
import { useAccount, useServices } from '../app/services.tsx'
import { MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS } from '../lib/password.ts'
import { useAction } from '../lib/use-action.ts'
import { Badge, Callout } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { PasswordField, TextField } from '../ui/field.tsx'
import { Card, Section } from '../ui/page.tsx'
import { PasswordMeter } from './password-meter.tsx'

export function AccountSettings({ user }: { readonly user: UserInfo }) {
	const { account, tabs, client } = useServices()
	const { relayVersion } = useAccount()
	const signOut = useAction(async () => {
		await account.signOut()
		tabs.closeAll()
	})
	return (
		<>
			<Section title="Profile">
				<Profile user={user} />
			</Section>
			<Section title="Password">
				<Password user={user} />
			</Section>
			<Section title="This browser">
				<Card>
					<div className="flex flex-wrap items-center justify-between gap-3">
						<p className="text-sm text-muted">
							Sign out here. Machines go on trusting this browser; sign in to reach them again.
						</p>
						<Button isBusy={signOut.isBusy} onClick={() => void signOut.run()}>
							Sign out
						</Button>
					</div>
					{signOut.problem !== undefined && (
						<div className="mt-3">
							<Callout tone="danger">{signOut.problem.message}</Callout>
						</div>
					)}
				</Card>
			</Section>
			<p className="mt-6 text-xs text-muted">
				{client.origin}
				{relayVersion === undefined ? '' : `, Sallyport ${relayVersion}`}
			</p>
		</>
	)
}

function Profile({ user }: { readonly user: UserInfo }) {
	const { account, client } = useServices()
	const [username, setUsername] = useState(user.username)
	const rename = useAction(async (next: string) => {
		account.rename(await client.api.renameAccount(next))
		toast.success('Saved')
	})
	const submit = (event: SubmitEvent) => {
		event.preventDefault()
		void rename.run(username.trim())
	}
	return (
		<Card>
			<form onSubmit={submit} className="flex flex-col gap-4">
				<div className="flex flex-wrap items-center justify-between gap-2 text-sm">
					<div>
						<span className="text-muted">E-mail </span>
						<span className="[overflow-wrap:anywhere]">{user.email}</span>
					</div>
					<Badge>{highestRole(user.roles)}</Badge>
				</div>
				<TextField
					label="User name"
					value={username}
					maxLength={64}
					spellCheck={false}
					onChange={(event) => setUsername(event.target.value)}
					hint="How machines and their logs call you."
					error={rename.problem?.message}
				/>
				<div>
					<Button type="submit" isBusy={rename.isBusy} disabled={username.trim().length < 2 || username.trim() === user.username}>
						Save
					</Button>
				</div>
			</form>
		</Card>
	)
}

function Password({ user }: { readonly user: UserInfo }) {
	const { pageSession } = useServices()
	const [current, setCurrent] = useState('')
	const [next, setNext] = useState('')
	const change = useAction(pageSession.changePassword)
	const submit = async (event: SubmitEvent) => {
		event.preventDefault()
		if (!(await change.run(current, next))) return
		setCurrent('')
		setNext('')
		toast.success('Password changed. Other browsers were signed out.')
	}
	return (
		<Card>
			<form onSubmit={submit} className="flex flex-col gap-4">
				{/* Lets password managers file the new password under the right name. */}
				<input type="email" name="email" autoComplete="username" value={user.email} readOnly hidden />
				<PasswordField
					label="Current password"
					autoComplete="current-password"
					value={current}
					onChange={(event) => setCurrent(event.target.value)}
					error={change.problem?.message}
				/>
				<PasswordField
					label="New password"
					autoComplete="new-password"
					maxLength={MAX_PASSWORD_CHARS}
					value={next}
					onChange={(event) => setNext(event.target.value)}
					hint={<PasswordMeter password={next} personal={[user.username, user.email.split('@')[0] ?? '']} />}
				/>
				<div>
					<Button type="submit" isBusy={change.isBusy} disabled={current === '' || next.length < MIN_PASSWORD_CHARS}>
						Change password
					</Button>
				</div>
			</form>
		</Card>
	)
}

/** Each role includes those below it. */
function highestRole(roles: readonly Role[]): Role {
	return (['owner', 'admin'] as const).find((role) => roles.includes(role)) ?? 'user'
}
