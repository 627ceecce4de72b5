import type { ReactNode } from 'react'
import type { Loaded } from '../lib/use-loaded.ts'
import { Callout, Skeleton } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'

export interface LoadStatesProps<T> {
	readonly state: Loaded<readonly T[]>
	readonly onRetry: () => void
	readonly empty: ReactNode
	readonly children: (values: readonly T[]) => ReactNode
	readonly rows?: number
}

/** The four faces of a list: loading in its own shape, failed with a way on, empty with a reason, and full. */
export function LoadStates<T>({ state, onRetry, empty, children, rows = 2 }: LoadStatesProps<T>) {
	if (state.kind === 'loading') {
		return (
			<div aria-busy="true" className="divide-y divide-line rounded-xl border border-line bg-surface">
				{Array.from({ length: rows }, (_, index) => (
					// biome-ignore lint/suspicious/noArrayIndexKey: placeholders are their places
					<div key={index} className="flex h-[3.875rem] items-center gap-3 px-4">
						<Skeleton className="size-8 rounded-lg" />
						<div className="flex-1">
							<Skeleton className="h-3.5 w-40" />
							<Skeleton className="mt-2 h-3 w-56 max-w-full" />
						</div>
					</div>
				))}
			</div>
		)
	}
	if (state.kind === 'failed') {
		return (
			<div className="flex flex-col items-start gap-3">
				<Callout tone="danger">{state.problem.message}</Callout>
				<Button onClick={onRetry}>Try again</Button>
			</div>
		)
	}
	return state.value.length === 0 ? empty : children(state.value)
}
