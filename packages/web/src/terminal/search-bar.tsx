import type { ISearchDecorationOptions } from '@xterm/addon-search'
import { clsx } from 'clsx'
import { ArrowDown, ArrowUp, CaseSensitive, Regex, X } from 'lucide-react'
import type { KeyboardEvent } from 'react'
import { useEffect, useMemo, useState } from 'react'
import { IconButton } from '../ui/button.tsx'
import type { Screen } from './screen.ts'

/** Marks that leave the letters readable on the theme's own ground. */
function marksFor(background: string): ISearchDecorationOptions {
	const isLight = Number.parseInt(background.slice(1, 3), 16) > 128
	return isLight
		? {
				matchBackground: '#f3e0a8',
				matchOverviewRuler: '#a87400',
				activeMatchBackground: '#ffb84d',
				activeMatchColorOverviewRuler: '#b45f06',
			}
		: {
				matchBackground: '#4a3f14',
				matchOverviewRuler: '#e2b55a',
				activeMatchBackground: '#8a4f12',
				activeMatchColorOverviewRuler: '#f0a35c',
			}
}

export function SearchBar({ screen, onClose }: { readonly screen: Screen; readonly onClose: () => void }) {
	const [query, setQuery] = useState('')
	const [isCase, setCase] = useState(false)
	const [isRegex, setRegex] = useState(false)
	const marks = useMemo(() => marksFor(screen.term.options.theme?.background ?? '#000000'), [screen])
	const [found, setFound] = useState<{ readonly index: number; readonly count: number }>()
	useEffect(() => {
		const listener = screen.search.onDidChangeResults(({ resultIndex, resultCount }) =>
			setFound({ index: resultIndex, count: resultCount }),
		)
		return () => {
			listener.dispose()
			screen.search.clearDecorations()
		}
	}, [screen])
	const isValid = !isRegex || isRegExp(query)
	useEffect(() => {
		if (query === '' || !isValid) {
			screen.search.clearDecorations()
			setFound(undefined)
		} else screen.search.findPrevious(query, { caseSensitive: isCase, regex: isRegex, decorations: marks })
	}, [screen, query, isCase, isRegex, isValid, marks])
	const move = (isUp: boolean) => {
		if (query === '' || !isValid) return
		const options = { caseSensitive: isCase, regex: isRegex, decorations: marks }
		if (isUp) screen.search.findPrevious(query, options)
		else screen.search.findNext(query, options)
	}
	const onKeyDown = (event: KeyboardEvent) => {
		if (event.key === 'Escape') onClose()
		else if (event.key === 'Enter') move(!event.shiftKey)
		else return
		event.preventDefault()
	}
	return (
		<search className="anim-pop absolute top-2 right-4 z-10 flex max-w-[calc(100%-2rem)] items-center gap-0.5 rounded-lg border border-line bg-raised p-1 shadow-pop">
			<input
				// biome-ignore lint/a11y/noAutofocus: the bar was asked for by its key
				autoFocus
				aria-label="Search in the terminal"
				aria-invalid={!isValid || undefined}
				placeholder="Search"
				value={query}
				onChange={(event) => setQuery(event.target.value)}
				onKeyDown={onKeyDown}
				spellCheck={false}
				className="h-7 w-20 min-w-0 sm:w-40 rounded-md bg-transparent px-2 text-sm outline-none"
			/>
			<span className="tabular px-1 text-right whitespace-nowrap sm:min-w-16 text-xs text-muted" role="status">
				{!isValid
					? 'bad pattern'
					: found === undefined
						? ''
						: found.count === 0
							? 'none'
							: found.index < 0
								? `${found.count}+`
								: `${found.index + 1} of ${found.count}`}
			</span>
			<IconButton
				label="Match case"
				size="sm"
				aria-pressed={isCase}
				onClick={() => setCase(!isCase)}
				className={clsx(isCase && 'bg-accent-soft text-accent')}
			>
				<CaseSensitive className="size-4" />
			</IconButton>
			<IconButton
				label="Regular expression"
				size="sm"
				aria-pressed={isRegex}
				onClick={() => setRegex(!isRegex)}
				className={clsx(isRegex && 'bg-accent-soft text-accent')}
			>
				<Regex className="size-4" />
			</IconButton>
			<IconButton label="Previous match (Enter)" size="sm" onClick={() => move(true)}>
				<ArrowUp className="size-4" />
			</IconButton>
			<IconButton label="Next match (Shift+Enter)" size="sm" onClick={() => move(false)}>
				<ArrowDown className="size-4" />
			</IconButton>
			<IconButton label="Close search (Escape)" size="sm" onClick={onClose}>
				<X className="size-4" />
			</IconButton>
		</search>
	)
}

function isRegExp(text: string): boolean {
	try {
		return new RegExp(text) instanceof RegExp
	} catch {
		// Not a pattern yet: its person is still typing.
		return false
	}
}
