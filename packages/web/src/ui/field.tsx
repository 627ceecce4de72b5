import { clsx } from 'clsx'
import { Eye, EyeOff } from 'lucide-react'
import type { InputHTMLAttributes, ReactNode, Ref, SelectHTMLAttributes } from 'react'
import { useId, useState } from 'react'

export const inputClass: string =
	'w-full rounded-lg border border-line-strong bg-surface px-3 text-base text-text transition-colors duration-100 hover:border-muted focus-visible:border-accent focus-visible:outline-1 focus-visible:outline-offset-0 disabled:opacity-60 aria-invalid:border-danger max-sm:text-lg'

export interface FieldProps {
	readonly label: string
	readonly hint?: ReactNode
	readonly error?: string | undefined
	readonly children: (ids: {
		readonly id: string
		readonly 'aria-describedby'?: string
		readonly 'aria-invalid'?: true
	}) => ReactNode
}

/** A label, its control, and one line beneath that is either hint or error. */
export function Field({ label, hint, error, children }: FieldProps) {
	const id = useId()
	const noteId = `${id}-note`
	const note = error ?? hint
	return (
		<div className="flex flex-col gap-1.5">
			<label htmlFor={id} className="text-sm font-medium">
				{label}
			</label>
			{children({
				id,
				...(note === undefined ? {} : { 'aria-describedby': noteId }),
				...(error === undefined ? {} : { 'aria-invalid': true }),
			})}
			{note !== undefined && (
				<div id={noteId} className={clsx('text-xs', error === undefined ? 'text-muted' : 'text-danger')} aria-live="polite">
					{note}
				</div>
			)}
		</div>
	)
}

export interface InputProps extends InputHTMLAttributes<HTMLInputElement> {
	readonly ref?: Ref<HTMLInputElement>
}

export function Input({ className, ...rest }: InputProps) {
	return <input className={clsx(inputClass, 'h-9', className)} {...rest} />
}

export interface TextFieldProps extends InputProps {
	readonly label: string
	readonly hint?: ReactNode
	readonly error?: string | undefined
}

export function TextField({ label, hint, error, ...input }: TextFieldProps) {
	return (
		<Field label={label} hint={hint} error={error}>
			{(ids) => <Input {...input} {...ids} />}
		</Field>
	)
}

export function PasswordField({ label, hint, error, className, ...input }: TextFieldProps) {
	const [isShown, setShown] = useState(false)
	return (
		<Field label={label} hint={hint} error={error}>
			{(ids) => (
				<div className="relative">
					<Input
						{...input}
						{...ids}
						type={isShown ? 'text' : 'password'}
						className={clsx('pr-10', className)}
						spellCheck={false}
						autoCapitalize="off"
					/>
					<button
						type="button"
						aria-label={isShown ? 'Hide password' : 'Show password'}
						aria-pressed={isShown}
						onClick={() => setShown(!isShown)}
						className="absolute inset-y-0 right-0 flex w-10 items-center justify-center rounded-r-lg text-muted hover:text-text"
					>
						{isShown ? <EyeOff className="size-4" /> : <Eye className="size-4" />}
					</button>
				</div>
			)}
		</Field>
	)
}

export function Select({ className, ...rest }: SelectHTMLAttributes<HTMLSelectElement>) {
	return <select className={clsx(inputClass, 'h-9 pr-8', className)} {...rest} />
}
