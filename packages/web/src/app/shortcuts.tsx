import { useEffect } from 'react'
import { useLocation } from 'wouter'
import { keyLabel } from '../lib/platform.ts'
import { Kbd } from '../ui/bits.tsx'
import { Dialog } from '../ui/dialog.tsx'

const GO: Readonly<Record<string, string>> = { m: '/machines', t: '/terminals', c: '/connections', d: '/devices', s: '/settings' }
const SEQUENCE_MS = 1200

/** Keys that work wherever nobody is typing: `?`, `/` and `g` followed by a letter. */
export function useGlobalShortcuts(onHelp: () => void): void {
	const [, navigate] = useLocation()
	useEffect(() => {
		let goAt = 0
		const handle = (event: KeyboardEvent) => {
			if (
				event.ctrlKey ||
				event.metaKey ||
				event.altKey ||
				isTyping(event.target) ||
				document.querySelector('[role=dialog]') !== null
			)
				return
			const target = GO[event.key]
			if (event.key === '?') onHelp()
			else if (event.key === '/') document.querySelector<HTMLElement>('[data-filter]')?.focus()
			else if (event.key === 'g') {
				goAt = event.timeStamp
				return
			} else if (target !== undefined && event.timeStamp - goAt < SEQUENCE_MS) navigate(target)
			else return
			goAt = 0
			event.preventDefault()
		}
		window.addEventListener('keydown', handle)
		return () => window.removeEventListener('keydown', handle)
	}, [navigate, onHelp])
}

function isTyping(target: EventTarget | null): boolean {
	return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
}

const GROUPS = [
	{
		title: 'Everywhere',
		rows: [
			['?', 'Show this sheet'],
			['/', 'Filter machines'],
			['G M', 'Go to machines'],
			['G T', 'Go to terminals'],
			['G C', 'Go to connections'],
			['G D', 'Go to devices'],
			['G S', 'Go to settings'],
		],
	},
	{
		title: 'Machines',
		rows: [
			['← ↑ ↓ →', 'Move between machines'],
			['Enter', 'Open a terminal, or pair'],
			['Space', 'Show details'],
		],
	},
	{
		title: 'Terminal',
		rows: [
			['Ctrl+Shift+C', 'Copy the selection'],
			['Ctrl+Shift+V', 'Paste'],
			['Ctrl+Shift+F', 'Search'],
			['Ctrl++', 'Larger text'],
			['Ctrl+-', 'Smaller text'],
			['Ctrl+0', 'Normal text'],
			['Ctrl+Shift+E', 'New terminal on this machine'],
			['Ctrl+Shift+→', 'Next tab'],
			['Ctrl+Shift+←', 'Previous tab'],
			['Ctrl+Shift+↑', 'Leave the terminal for its tabs'],
			['Enter', 'Reconnect, when it has ended'],
		],
	},
] as const

export function ShortcutsSheet({
	isOpen,
	onOpenChange,
}: {
	readonly isOpen: boolean
	readonly onOpenChange: (isOpen: boolean) => void
}) {
	return (
		<Dialog isOpen={isOpen} onOpenChange={onOpenChange} title="Keyboard shortcuts" width="lg">
			<div className="grid gap-x-10 gap-y-6 sm:grid-cols-2">
				{GROUPS.map((group) => (
					<section key={group.title} className={group.title === 'Terminal' ? 'sm:col-start-2 sm:row-span-2 sm:row-start-1' : ''}>
						<h3 className="mb-1.5 text-xs font-medium text-muted">{group.title}</h3>
						<dl>
							{group.rows.map(([keys, what]) => (
								<div key={keys} className="flex h-8 items-center justify-between gap-4 text-sm">
									<dt>{what}</dt>
									<dd className="flex gap-1">
										{(keys.startsWith('Ctrl') ? [keyLabel(keys)] : keys.split(' ')).map((key) => (
											<Kbd key={key}>{key}</Kbd>
										))}
									</dd>
								</div>
							))}
						</dl>
					</section>
				))}
			</div>
		</Dialog>
	)
}
