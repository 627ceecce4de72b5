import type { ReactNode } from 'react'
import { useEffect } from 'react'

export interface PageProps {
	readonly title: string
	readonly description?: ReactNode
	readonly actions?: ReactNode
	readonly children: ReactNode
	readonly width?: 'wide' | 'narrow'
}

export function Page({ title, description, actions, children, width = 'wide' }: PageProps) {
	useEffect(() => {
		document.title = `${title} · Sallyport`
	}, [title])
	return (
		<div className={`mx-auto w-full px-4 pt-6 pb-24 sm:px-6 sm:pt-8 ${width === 'wide' ? 'max-w-[76rem]' : 'max-w-[56rem]'}`}>
			<div className="mb-5 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
				<div className="min-w-0">
					<h1 className="text-xl font-semibold tracking-[-0.015em]">{title}</h1>
					{description !== undefined && <p className="mt-1 max-w-2xl text-base text-muted">{description}</p>}
				</div>
				{actions !== undefined && <div className="flex items-center gap-2 max-sm:w-full">{actions}</div>}
			</div>
			{children}
		</div>
	)
}

export function Section({ title, description, actions, children }: Omit<PageProps, 'width'>) {
	return (
		<section className="mt-8 first:mt-0">
			<div className="mb-3 flex flex-wrap items-end justify-between gap-3">
				<div>
					<h2 className="text-base font-semibold">{title}</h2>
					{description !== undefined && <p className="mt-0.5 max-w-2xl text-sm text-muted">{description}</p>}
				</div>
				{actions}
			</div>
			{children}
		</section>
	)
}

/** Rows in one box. */
export function List({ children, label }: { readonly children: ReactNode; readonly label: string }) {
	return (
		<ul aria-label={label} className="divide-y divide-line overflow-hidden rounded-xl border border-line bg-surface shadow-card">
			{children}
		</ul>
	)
}

export interface RowProps {
	readonly icon?: ReactNode
	readonly title: ReactNode
	readonly meta?: ReactNode
	readonly aside?: ReactNode
	readonly actions?: ReactNode
}

export function Row({ icon, title, meta, aside, actions }: RowProps) {
	return (
		<li className="flex items-center gap-3 px-4 py-3">
			{icon !== undefined && (
				<span className="flex size-8 shrink-0 items-center justify-center rounded-lg border border-line bg-sunken text-muted [&>svg]:size-4">
					{icon}
				</span>
			)}
			<div className="min-w-0 flex-1">
				<div className="flex flex-wrap items-center gap-x-2 gap-y-1 text-base font-medium [overflow-wrap:anywhere]">{title}</div>
				{meta !== undefined && <div className="mt-0.5 text-sm text-muted [overflow-wrap:anywhere]">{meta}</div>}
			</div>
			{aside !== undefined && <div className="tabular hidden text-right text-sm text-muted sm:block">{aside}</div>}
			{actions}
		</li>
	)
}

export function Card({ children }: { readonly children: ReactNode }) {
	return <div className="rounded-xl border border-line bg-surface p-5 shadow-card">{children}</div>
}
