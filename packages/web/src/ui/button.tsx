import { clsx } from 'clsx'
import { LoaderCircle } from 'lucide-react'
import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react'

export type ButtonVariant = 'primary' | 'secondary' | 'ghost' | 'danger'
export type ButtonSize = 'sm' | 'md' | 'lg'

const VARIANTS: Record<ButtonVariant, string> = {
	primary: 'bg-accent text-on-accent hover:bg-accent-hover border-transparent',
	secondary: 'bg-surface text-text hover:bg-hover border-line shadow-card',
	ghost: 'bg-transparent text-muted hover:text-text hover:bg-hover border-transparent',
	danger: 'bg-danger text-on-danger hover:bg-danger-hover border-transparent',
}
const SIZES: Record<ButtonSize, string> = {
	sm: 'h-8 px-2.5 text-sm gap-1.5 rounded-md',
	md: 'h-9 px-3.5 text-sm gap-2 rounded-lg',
	lg: 'h-10 px-4 text-base gap-2 rounded-lg',
}

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
	readonly variant?: ButtonVariant
	readonly size?: ButtonSize
	/** Shown in place of the icon; the button keeps its width and can't be pressed again. */
	readonly isBusy?: boolean
	readonly icon?: ReactNode
	readonly ref?: Ref<HTMLButtonElement>
}

export function Button(props: ButtonProps) {
	const {
		variant = 'secondary',
		size = 'md',
		isBusy = false,
		icon,
		className,
		children,
		disabled,
		type = 'button',
		...rest
	} = props
	return (
		<button
			type={type}
			className={clsx(
				'inline-flex shrink-0 select-none items-center justify-center whitespace-nowrap border font-medium transition-colors duration-100 disabled:opacity-50',
				VARIANTS[variant],
				SIZES[size],
				className,
			)}
			disabled={disabled === true || isBusy}
			aria-busy={isBusy || undefined}
			data-variant={variant}
			{...rest}
		>
			{isBusy ? <LoaderCircle className="size-4 animate-spin" aria-hidden="true" /> : icon}
			{children}
		</button>
	)
}

export interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
	/** What it does: its name for screen readers, and its title. */
	readonly label: string
	readonly size?: ButtonSize
	readonly ref?: Ref<HTMLButtonElement>
}

const ICON_SIZES: Record<ButtonSize, string> = { sm: 'size-7', md: 'size-8', lg: 'size-9' }

export function IconButton({ label, size = 'md', className, children, type = 'button', ...rest }: IconButtonProps) {
	return (
		<button
			type={type}
			aria-label={label}
			title={label}
			className={clsx(
				'inline-flex shrink-0 items-center justify-center rounded-md text-muted transition-colors duration-100 hover:bg-hover hover:text-text disabled:opacity-50 data-[state=open]:bg-hover data-[state=open]:text-text',
				ICON_SIZES[size],
				className,
			)}
			{...rest}
		>
			{children}
		</button>
	)
}
