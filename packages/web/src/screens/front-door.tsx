import type { ReactNode } from 'react'
import { useEffect } from 'react'
import { LogoMark } from '../ui/logo.tsx'

/** The frame of what stands before the sign-in. */
export function FrontDoor({
	title,
	lead,
	children,
	note,
}: {
	readonly title: string
	readonly lead?: ReactNode
	readonly children: ReactNode
	readonly note?: ReactNode
}) {
	useEffect(() => {
		document.title = `${title} · Sallyport`
	}, [title])
	return (
		<main className="flex min-h-dvh flex-col items-center px-4 pt-[11vh] pb-10">
			<div className="w-full max-w-[25rem]">
				<div className="mb-7 flex items-center gap-2.5">
					<LogoMark size={30} />
					<span className="text-lg font-semibold tracking-[-0.02em]">Sallyport</span>
				</div>
				<h1 className="text-2xl font-semibold tracking-[-0.02em] text-balance">{title}</h1>
				{lead !== undefined && <p className="mt-2 text-base text-muted text-pretty">{lead}</p>}
				<div className="mt-6">{children}</div>
				{note !== undefined && <div className="mt-6 border-t border-line pt-4 text-sm text-muted text-pretty">{note}</div>}
			</div>
		</main>
	)
}

/** Where the person is on the way in. */
export function Steps({ names, current }: { readonly names: readonly string[]; readonly current: number }) {
	return (
		<ol className="mb-6 flex gap-2" aria-label="Steps">
			{names.map((name, index) => (
				<li key={name} aria-current={index === current ? 'step' : undefined} className="min-w-0 flex-1">
					<div className={`h-1 rounded-full ${index <= current ? 'bg-accent' : 'bg-line'}`} />
					<div className={`mt-1.5 truncate text-xs ${index === current ? 'font-medium text-text' : 'text-muted'}`}>{name}</div>
				</li>
			))}
		</ol>
	)
}
