import type { KeyboardEvent } from 'react'
import { useRef, useState } from 'react'

const MOVES: Readonly<Record<string, (index: number, columns: number, count: number) => number>> = {
	ArrowRight: (index) => index + 1,
	ArrowLeft: (index) => index - 1,
	ArrowDown: (index, columns) => index + columns,
	ArrowUp: (index, columns) => index - columns,
	Home: () => 0,
	End: (_index, _columns, count) => count - 1,
}

/** The place a key leads to in a grid, or undefined when it leads nowhere. */
export function nextCell(key: string, index: number, columns: number, count: number): number | undefined {
	const next = MOVES[key]?.(index, columns, count)
	return next === undefined || next < 0 || next >= count ? undefined : next
}

/** One stop for Tab, arrows inside: cells are found by `data-cell`, columns by where they stand. */
export function useRovingGrid() {
	const ref = useRef<HTMLUListElement>(null)
	const [active, setActive] = useState(0)
	const onKeyDown = (event: KeyboardEvent) => {
		if (
			event.ctrlKey ||
			event.metaKey ||
			event.altKey ||
			!(event.target instanceof HTMLElement) ||
			event.target.dataset['cell'] === undefined
		)
			return
		const cells = [...(ref.current?.querySelectorAll<HTMLElement>('[data-cell]') ?? [])]
		const index = cells.indexOf(event.target)
		const top = cells[0]?.getBoundingClientRect().top
		const columns = Math.max(
			1,
			cells.findIndex((cell) => cell.getBoundingClientRect().top !== top),
		)
		const next = nextCell(
			event.key,
			index,
			cells.every((cell) => cell.getBoundingClientRect().top === top) ? cells.length : columns,
			cells.length,
		)
		if (next === undefined) return
		event.preventDefault()
		setActive(next)
		cells[next]?.focus()
	}
	return { ref, active, setActive, onKeyDown }
}
