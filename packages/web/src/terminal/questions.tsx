import type { ReactNode } from 'react'
import { useEffect, useRef } from 'react'
import { plural } from '../lib/format.ts'
import { countLines, pastePreview } from '../lib/paste.ts'
import type { TabQuestion } from '../state/tabs.ts'
import { Button } from '../ui/button.tsx'

type Question = Exclude<TabQuestion, { kind: 'login' }>

/** A question inside the tab: the rest of the page stays usable. */
export function QuestionCard({ question, nodeName }: { readonly question: Question; readonly nodeName: string }) {
	switch (question.kind) {
		case 'paste':
			return (
				<TabCard
					title={`Paste ${plural(countLines(question.text), 'line')}?`}
					lead="The program running here takes each line as if you had pressed Enter: it may run at once."
					onCancel={() => question.answer(false)}
					actions={
						<Button variant="primary" autoFocus onClick={() => question.answer(true)}>
							Paste
						</Button>
					}
				>
					<Preview text={pastePreview(question.text)} />
				</TabCard>
			)
		case 'clipboard':
			return (
				<TabCard
					title="Set your clipboard?"
					lead={`A program on ${nodeName} wants to put ${plural(question.text.length, 'character')} there.`}
					onCancel={() => question.answer('no')}
					cancelLabel="Refuse"
					actions={
						<>
							<Button onClick={() => question.answer('always')}>Always for {nodeName}</Button>
							<Button variant="primary" autoFocus onClick={() => question.answer('once')}>
								Allow once
							</Button>
						</>
					}
				>
					<Preview text={pastePreview(question.text)} />
				</TabCard>
			)
		case 'link':
			return (
				<TabCard
					title="Open this link?"
					lead="Its text in the terminal may say something else."
					onCancel={() => question.answer(false)}
					actions={
						<Button variant="primary" autoFocus onClick={() => question.answer(true)}>
							Open
						</Button>
					}
				>
					<Preview text={question.href} />
				</TabCard>
			)
	}
}

function Preview({ text }: { readonly text: string }) {
	return (
		<pre className="scroll-thin max-h-40 overflow-auto rounded-lg border border-line bg-sunken px-3 py-2 text-xs leading-5 break-all whitespace-pre-wrap">
			{text}
		</pre>
	)
}

export interface TabCardProps {
	readonly title: string
	readonly lead?: ReactNode
	readonly children: ReactNode
	readonly actions: ReactNode
	readonly onCancel: () => void
	readonly cancelLabel?: string
}

/** A card over one terminal; Escape is its cancel. */
export function TabCard({ title, lead, children, actions, onCancel, cancelLabel = 'Cancel' }: TabCardProps) {
	const ref = useRef<HTMLDivElement>(null)
	useEffect(() => {
		const card = ref.current
		if (card !== null && !card.contains(document.activeElement))
			card.querySelector<HTMLElement>('input, textarea, button')?.focus()
	}, [])
	return (
		<div className="anim-fade absolute inset-0 z-20 flex items-start justify-center overflow-y-auto bg-black/40 px-3 py-[8%]">
			<div
				ref={ref}
				role="dialog"
				aria-label={title}
				onKeyDown={(event) => {
					if (event.key === 'Escape') onCancel()
				}}
				className="anim-pop w-full max-w-[28rem] rounded-xl border border-line bg-raised shadow-pop"
			>
				<div className="px-5 pt-4">
					<h2 className="text-lg font-semibold tracking-[-0.01em]">{title}</h2>
					{lead !== undefined && <p className="mt-1 text-sm text-muted">{lead}</p>}
				</div>
				<div className="px-5 py-4">{children}</div>
				<div className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-3">
					<Button onClick={onCancel}>{cancelLabel}</Button>
					{actions}
				</div>
			</div>
		</div>
	)
}
