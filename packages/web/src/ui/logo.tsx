import { clsx } from 'clsx'

/** The mark: a battlemented gate whose two doors stand ajar. */
export function LogoMark({ size = 24, className }: { readonly size?: number; readonly className?: string }) {
	return (
		<svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" className={clsx('shrink-0', className)}>
			<path
				fill="currentColor"
				fillRule="evenodd"
				d="M2 2.5h4.4v3.2h3.4V2.5h4.4v3.2h3.4V2.5H22v19h-3.2v-8.2a6.8 6.8 0 0 0-13.6 0v8.2H2z"
			/>
			<path
				className="fill-accent"
				d="M7.2 13.3c0-1.9 1.1-3.5 2.8-4.3v13.6l-2.8-1.1zM16.8 13.3c0-1.9-1.1-3.5-2.8-4.3v13.6l2.8-1.1z"
			/>
		</svg>
	)
}

export function Wordmark({ className }: { readonly className?: string }) {
	return (
		<span className={clsx('inline-flex items-center gap-2.5 text-text', className)}>
			<LogoMark size={22} />
			<span className="text-[0.9375rem] font-semibold tracking-[-0.02em]">Sallyport</span>
		</span>
	)
}
