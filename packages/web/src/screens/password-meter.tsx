import { clsx } from 'clsx'
import { passwordStrength } from '../lib/password.ts'

const TONES = ['bg-danger', 'bg-danger', 'bg-warn', 'bg-accent', 'bg-accent'] as const

export function PasswordMeter({ password, personal }: { readonly password: string; readonly personal: readonly string[] }) {
	const strength = passwordStrength(password, personal)
	return (
		<span className="block">
			<span className="mt-0.5 mb-1.5 flex gap-1" aria-hidden="true">
				{[1, 2, 3, 4].map((step) => (
					<span
						key={step}
						className={clsx(
							'h-1 flex-1 rounded-full transition-colors',
							password !== '' && step <= strength.score ? TONES[strength.score] : 'bg-line',
						)}
					/>
				))}
			</span>
			{password === ''
				? 'At least 10 characters. A few unrelated words are stronger than one strange one.'
				: `${strength.label}: ${strength.hint}`}
		</span>
	)
}
