import { useCallback, useState } from 'react'
import { useServices } from '../app/services.tsx'
import type { Problem } from './problem.ts'
import { toProblem } from './problem.ts'

export interface Action<A extends readonly unknown[]> {
	readonly run: (...args: A) => Promise<boolean>
	readonly isBusy: boolean
	readonly problem: Problem | undefined
	readonly clear: () => void
}

/** Something a button does: busy while it runs, its problem afterwards, and an ended sign-in noticed for all. */
export function useAction<A extends readonly unknown[]>(act: (...args: A) => Promise<unknown>): Action<A> {
	const { account } = useServices()
	const [isBusy, setBusy] = useState(false)
	const [problem, setProblem] = useState<Problem>()
	const run = async (...args: A) => {
		setBusy(true)
		setProblem(undefined)
		try {
			await act(...args)
			return true
		} catch (error) {
			const found = toProblem(error)
			if (found.code === 'unauthenticated') void account.expire()
			setProblem(found)
			return false
		} finally {
			setBusy(false)
		}
	}
	return { run, isBusy, problem, clear: useCallback(() => setProblem(undefined), []) }
}
