import { useEffect, useState } from 'react'

/** The time, again every `stepMs`: for ages and countdowns. */
export function useNow(stepMs: number): number {
	const [now, setNow] = useState(() => Date.now())
	useEffect(() => {
		const timer = setInterval(() => setNow(Date.now()), stepMs)
		return () => clearInterval(timer)
	}, [stepMs])
	return now
}
