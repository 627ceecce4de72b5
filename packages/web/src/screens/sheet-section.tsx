import type { ReactNode } from 'react'

/** One part of the details drawer. */
export function SheetSection({
	title,
	aside,
	children,
}: {
	readonly title: string
	readonly aside?: ReactNode
	readonly children: ReactNode
}) {
	return (
		<section className="border-t border-line px-5 py-4">
			<div className="mb-2.5 flex items-center justify-between gap-3">
				<h3 className="text-sm font-semibold">{title}</h3>
				{aside}
			</div>
			{children}
		</section>
	)
}
