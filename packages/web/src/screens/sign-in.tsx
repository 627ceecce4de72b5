import type { UserInfo } from '@sallyport/protocol'
import type { SubmitEvent } from 'react'
import { useState } from 'react'
import { useAccount, useServices } from '../app/services.tsx'
import { useAction } from '../lib/use-action.ts'
import { Callout } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { PasswordField, TextField } from '../ui/field.tsx'
import { FrontDoor } from './front-door.tsx'

export function SignIn() {
	const { invite } = useAccount()
	return (
		<FrontDoor title="Sign in" {...(invite === undefined ? {} : { lead: `to pair this browser with ${invite.node_name}.` })}>
			<SignInForm />
		</FrontDoor>
	)
}

function SignInForm({ email: known }: { readonly email?: string }) {
	const { account, nodes } = useServices()
	const [email, setEmail] = useState(known ?? '')
	const [password, setPassword] = useState('')
	const signIn = useAction(account.signIn)
	const submit = async (event: SubmitEvent) => {
		event.preventDefault()
		if (await signIn.run(email.trim(), password)) void nodes.refresh()
	}
	return (
		<form onSubmit={submit} className="flex flex-col gap-4">
			<TextField
				label="E-mail"
				type="email"
				name="email"
				autoComplete="username"
				required
				readOnly={known !== undefined}
				autoFocus={known === undefined}
				value={email}
				onChange={(event) => setEmail(event.target.value)}
			/>
			<PasswordField
				label="Password"
				name="password"
				autoComplete="current-password"
				required
				autoFocus={known !== undefined}
				value={password}
				onChange={(event) => setPassword(event.target.value)}
			/>
			{signIn.problem !== undefined && <Callout tone="danger">{explain(signIn.problem.code, signIn.problem.message)}</Callout>}
			<Button type="submit" variant="primary" size="lg" isBusy={signIn.isBusy}>
				Sign in
			</Button>
		</form>
	)
}

function explain(code: string, message: string): string {
	return code === 'unauthenticated' ? 'E-mail and password don’t belong together. Check both and try again.' : message
}

/** Over the page as it stands: terminals go on, only the relay wants to know again who this is. */
export function SignInAgain({ user }: { readonly user: UserInfo }) {
	return (
		<Dialog
			isOpen
			onOpenChange={() => {}}
			isDismissible={false}
			title="Sign in again"
			description="Your sign-in has ended. Open terminals stay as they are; new ones and changes need you to sign in."
			width="sm"
		>
			<SignInForm email={user.email} />
		</Dialog>
	)
}
