import { useCallback, useEffect, useState } from 'react'
import { useServices } from '../app/services.tsx'
import type { Problem } from './problem.ts'
import { toProblem } from './problem.ts'

export type Loaded<T> =
	| { readonly kind: 'loading' }
	| { readonly kind: 'ready'; readonly value: T }
	| { readonly kind: 'failed'; readonly problem: Problem }

/** A list from the relay or a node: loaded on show, again on `reload`, and the old one stays while the new one comes. */
export function useLoaded<T>(load: () => Promise<T>, deps: readonly unknown[]): readonly [Loaded<T>, reload: () => void] {
	const { account } = useServices()
	const [state, setState] = useState<Loaded<T>>({ kind: 'loading' })
	const [round, setRound] = useState(0)
	// biome-ignore lint/correctness/useExhaustiveDependencies: the caller names what `load` depends on
	useEffect(() => {
		let isCurrent = true
		load().then(
			(value) => isCurrent && setState({ kind: 'ready', value }),
			(error: unknown) => {
				const problem = toProblem(error)
				if (problem.code === 'unauthenticated') void account.expire()
				if (isCurrent) setState({ kind: 'failed', problem })
			},
		)
		return () => {
			isCurrent = false
		}
	}, [...deps, round])
	return [state, useCallback(() => setRound((count) => count + 1), [])]
}
