import { clsx } from 'clsx'
import type { KeyboardEvent } from 'react'
import { useId, useRef } from 'react'

export interface DigitsInputProps {
	readonly label: string
	readonly length: number
	readonly value: string
	readonly onChange: (digits: string) => void
	readonly onComplete?: (digits: string) => void
	readonly isDisabled?: boolean
	readonly isInvalid?: boolean
}

/** One real input over boxes that show its digits: pasting, autofill and screen readers see a single field. */
export function DigitsInput(props: DigitsInputProps) {
	const { label, length, value, onChange, onComplete, isDisabled = false, isInvalid = false } = props
	const id = useId()
	const ref = useRef<HTMLInputElement>(null)
	const change = (text: string) => {
		const digits = text.replace(/\D/g, '').slice(0, length)
		onChange(digits)
		if (digits.length === length && digits !== value) onComplete?.(digits)
	}
	const submitOnEnter = (event: KeyboardEvent) => {
		if (event.key === 'Enter' && value.length === length) onComplete?.(value)
	}
	return (
		<div>
			<label htmlFor={id} className="mb-2 block text-sm font-medium">
				{label}
			</label>
			<div className="group relative inline-flex gap-2" onClick={() => ref.current?.focus()}>
				{Array.from({ length }, (_, index) => (
					<span
						// biome-ignore lint/suspicious/noArrayIndexKey: the boxes are their places
						key={index}
						aria-hidden="true"
						className={clsx(
							'flex h-12 w-10 items-center justify-center rounded-lg border bg-surface font-mono text-xl',
							isInvalid ? 'border-danger' : 'border-line-strong',
							index === Math.min(value.length, length - 1) &&
								'group-focus-within:border-accent group-focus-within:ring-1 group-focus-within:ring-accent',
						)}
					>
						{value[index] ?? ''}
					</span>
				))}
				<input
					ref={ref}
					id={id}
					value={value}
					onChange={(event) => change(event.target.value)}
					onKeyDown={submitOnEnter}
					disabled={isDisabled}
					aria-invalid={isInvalid || undefined}
					inputMode="numeric"
					autoComplete="one-time-code"
					maxLength={length * 2}
					className="absolute inset-0 size-full cursor-text opacity-0"
				/>
			</div>
		</div>
	)
}

/** Digits to be read aloud or typed elsewhere. */
export function BigDigits({ digits, label }: { readonly digits: string; readonly label: string }) {
	const half = digits.length === 6 ? 3 : digits.length
	return (
		<output
			aria-label={`${label}: ${digits.split('').join(' ')}`}
			className="flex items-center justify-center gap-4 font-mono text-[2.75rem] leading-none font-medium tracking-[0.12em] max-sm:text-[2.25rem]"
		>
			<span>{digits.slice(0, half)}</span>
			{half < digits.length && <span>{digits.slice(half)}</span>}
		</output>
	)
}
