import { clsx } from 'clsx'
import type { LucideIcon } from 'lucide-react'
import { CircleAlert, Info, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import type { NodeTone } from '../lib/node-status.ts'

const DOTS: Record<NodeTone | 'busy', string> = {
	online: 'bg-accent',
	offline: 'bg-transparent border-2 border-offline',
	attention: 'bg-warn',
	busy: 'bg-warn anim-pulse',
}

/** Colour and shape: an empty ring is offline, so that colour alone never carries the meaning. */
export function StatusDot({ tone }: { readonly tone: NodeTone | 'busy' }) {
	return <span aria-hidden="true" className={clsx('inline-block size-2 shrink-0 rounded-full', DOTS[tone])} />
}

export function Badge({
	tone = 'neutral',
	children,
}: {
	readonly tone?: 'neutral' | 'accent' | 'warn' | 'danger'
	readonly children: ReactNode
}) {
	const tones = {
		neutral: 'bg-sunken text-muted border-line',
		accent: 'bg-accent-soft text-accent border-transparent',
		warn: 'bg-warn-soft text-warn border-transparent',
		danger: 'bg-danger-soft text-danger border-transparent',
	}
	return (
		<span
			className={clsx(
				'inline-flex h-5 items-center gap-1 whitespace-nowrap rounded-md border px-1.5 text-xs font-medium',
				tones[tone],
			)}
		>
			{children}
		</span>
	)
}

export function Kbd({ children }: { readonly children: ReactNode }) {
	return (
		<kbd className="inline-flex h-5 min-w-5 items-center justify-center rounded border border-line bg-sunken px-1.5 font-sans text-2xs font-medium text-muted">
			{children}
		</kbd>
	)
}

/** A boxed remark. */
export function Callout({
	tone = 'info',
	title,
	children,
}: {
	readonly tone?: 'info' | 'warn' | 'danger'
	readonly title?: string
	readonly children?: ReactNode
}) {
	const tones = {
		info: 'border-line bg-sunken',
		warn: 'border-transparent bg-warn-soft',
		danger: 'border-transparent bg-danger-soft',
	}
	const icons = {
		info: <Info className="size-4 text-muted" />,
		warn: <TriangleAlert className="size-4 text-warn" />,
		danger: <CircleAlert className="size-4 text-danger" />,
	}
	return (
		<div
			className={clsx('flex gap-2.5 rounded-lg border px-3 py-2.5 text-sm', tones[tone])}
			role={tone === 'danger' ? 'alert' : undefined}
		>
			<span className="mt-0.5 shrink-0" aria-hidden="true">
				{icons[tone]}
			</span>
			<div className="min-w-0 flex-1 [overflow-wrap:anywhere]">
				{title !== undefined && <div className="font-medium">{title}</div>}
				{children !== undefined && <div className={clsx(title !== undefined && 'text-muted')}>{children}</div>}
			</div>
		</div>
	)
}

export interface EmptyStateProps {
	readonly icon: LucideIcon
	readonly title: string
	readonly children?: ReactNode
	readonly action?: ReactNode
}

export function EmptyState({ icon: Icon, title, children, action }: EmptyStateProps) {
	return (
		<div className="flex flex-col items-center justify-center rounded-xl border border-dashed border-line px-6 py-16 text-center">
			<span className="mb-4 flex size-11 items-center justify-center rounded-xl border border-line bg-surface text-muted shadow-card">
				<Icon className="size-5" aria-hidden="true" />
			</span>
			<h2 className="text-lg font-semibold tracking-[-0.01em]">{title}</h2>
			{children !== undefined && <p className="mt-1.5 max-w-md text-base text-balance text-muted">{children}</p>}
			{action !== undefined && <div className="mt-5 flex flex-wrap justify-center gap-2">{action}</div>}
		</div>
	)
}

export function Skeleton({ className }: { readonly className?: string }) {
	return <span aria-hidden="true" className={clsx('block animate-pulse rounded-md bg-line', className)} />
}

/** A share as a thin bar; the number stands beside it as text. */
export function Meter({ label, value, text }: { readonly label: string; readonly value: number; readonly text: string }) {
	const share = Math.min(1, Math.max(0, value))
	const tone = share >= 0.92 ? 'bg-danger' : share >= 0.8 ? 'bg-warn' : 'bg-accent'
	return (
		<div className="min-w-0">
			<div className="flex items-baseline justify-between gap-1 text-xs">
				<span className="text-muted">{label}</span>
				<span className="tabular truncate">{text}</span>
			</div>
			<div className="mt-1.5 h-1 overflow-hidden rounded-full bg-line" aria-hidden="true">
				<div className={clsx('h-full rounded-full transition-[width] duration-500', tone)} style={{ width: `${share * 100}%` }} />
			</div>
		</div>
	)
}
