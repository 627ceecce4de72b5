import { clsx } from 'clsx'
import { RadioGroup, Switch } from 'radix-ui'
import type { ReactNode } from 'react'
import { useId } from 'react'

export interface SegmentedProps<T extends string> {
	readonly label: string
	readonly value: T
	readonly options: readonly { readonly value: T; readonly label: string; readonly icon?: ReactNode }[]
	readonly onChange: (value: T) => void
}

/** A few choices side by side; arrows move, as in any radio group. */
export function Segmented<T extends string>({ label, value, options, onChange }: SegmentedProps<T>) {
	return (
		<RadioGroup.Root
			aria-label={label}
			value={value}
			className="inline-flex self-start rounded-lg border border-line bg-sunken p-0.5"
			orientation="horizontal"
		>
			{options.map((option) => (
				<RadioGroup.Item
					key={option.value}
					value={option.value}
					onClick={() => onChange(option.value)}
					onFocus={() => onChange(option.value)}
					className={clsx(
						'inline-flex h-8 items-center gap-2 rounded-md px-3 text-sm font-medium transition-colors',
						option.value === value ? 'bg-surface text-text shadow-card ring-1 ring-line' : 'text-muted hover:text-text',
					)}
				>
					{option.icon}
					{option.label}
				</RadioGroup.Item>
			))}
		</RadioGroup.Root>
	)
}

export interface ToggleProps {
	readonly label: string
	readonly hint?: string
	readonly isOn: boolean
	readonly onChange: (isOn: boolean) => void
}

export function Toggle({ label, hint, isOn, onChange }: ToggleProps) {
	const id = useId()
	return (
		<div className="flex items-center justify-between gap-4">
			<label htmlFor={id} className="min-w-0">
				<span className="block text-base">{label}</span>
				{hint !== undefined && <span className="block text-sm text-muted">{hint}</span>}
			</label>
			<Switch.Root
				id={id}
				checked={isOn}
				onCheckedChange={onChange}
				className="relative h-5 w-9 shrink-0 rounded-full border border-line-strong bg-sunken transition-colors data-[state=checked]:border-accent data-[state=checked]:bg-accent"
			>
				<Switch.Thumb className="block size-3.5 translate-x-0.5 rounded-full bg-line-strong transition-transform data-[state=checked]:translate-x-[1.125rem] data-[state=checked]:bg-on-accent" />
			</Switch.Root>
		</div>
	)
}
