import type { SubmitEvent } from 'react'
import { useState } from 'react'
import { useServices } from '../app/services.tsx'
import { MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS } from '../lib/password.ts'
import { useAction } from '../lib/use-action.ts'
import { Callout } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { PasswordField, TextField } from '../ui/field.tsx'
import { FrontDoor, Steps } from './front-door.tsx'
import { PasswordMeter } from './password-meter.tsx'

export const FIRST_RUN_STEPS = ['Your account', 'This machine', 'A terminal'] as const

/** First run: the person with the link becomes the owner. */
export function SetUp({ secret }: { readonly secret: string }) {
	const { account } = useServices()
	const [email, setEmail] = useState('')
	const [username, setUsername] = useState('')
	const [password, setPassword] = useState('')
	const [wasTried, setTried] = useState(false)
	const setUp = useAction(account.setUp)
	const errors = {
		email: /^\S+@\S+\.\S+$|^\S+@localhost$/.test(email)
			? undefined
			: 'Enter an e-mail address: you sign in with it, nothing is sent to it',
		username: username.trim().length >= 2 ? undefined : 'Enter at least two characters',
		password: password.length >= MIN_PASSWORD_CHARS ? undefined : `Enter at least ${MIN_PASSWORD_CHARS} characters`,
	}
	const submit = (event: SubmitEvent) => {
		event.preventDefault()
		setTried(true)
		if (Object.values(errors).every((error) => error === undefined))
			void setUp.run(secret, { email: email.trim(), username: username.trim(), password })
	}
	return (
		<FrontDoor
			title="Welcome. Make the owner account"
			lead="It is the first and only administrator of this relay. Others can be let in later."
		>
			<Steps names={FIRST_RUN_STEPS} current={0} />
			<form onSubmit={submit} noValidate className="flex flex-col gap-4">
				<TextField
					label="E-mail"
					type="email"
					name="email"
					autoComplete="username"
					autoFocus
					value={email}
					onChange={(event) => setEmail(event.target.value)}
					hint="To sign in with. Nothing is sent to it."
					error={wasTried ? errors.email : undefined}
				/>
				<TextField
					label="User name"
					name="nickname"
					autoComplete="nickname"
					autoCapitalize="off"
					spellCheck={false}
					maxLength={64}
					value={username}
					onChange={(event) => setUsername(event.target.value)}
					hint="How machines and their logs call you."
					error={wasTried ? errors.username : undefined}
				/>
				<PasswordField
					label="Password"
					name="new-password"
					autoComplete="new-password"
					maxLength={MAX_PASSWORD_CHARS}
					value={password}
					onChange={(event) => setPassword(event.target.value)}
					hint={<PasswordMeter password={password} personal={[username, email.split('@')[0] ?? '']} />}
					error={wasTried ? errors.password : undefined}
				/>
				{setUp.problem !== undefined && <Callout tone="danger">{explain(setUp.problem.code, setUp.problem.message)}</Callout>}
				<Button type="submit" variant="primary" size="lg" isBusy={setUp.isBusy}>
					Create account
				</Button>
			</form>
		</FrontDoor>
	)
}

function explain(code: string, message: string): string {
	if (code === 'setup_done') return 'This relay already has an owner. Reload the page and sign in.'
	if (code === 'setup_invalid')
		return 'This set-up link was used or is from an earlier start. Open the newest link that the relay has printed.'
	return message
}
