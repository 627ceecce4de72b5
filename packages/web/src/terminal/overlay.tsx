import { CircleAlert, CornerDownLeft, LoaderCircle, PowerOff, RefreshCw, WifiOff } from 'lucide-react'
import type { ReactNode } from 'react'
import { useServices } from '../app/services.tsx'
import { plainLine } from '../lib/hostile-text.ts'
import { sentence } from '../lib/problem.ts'
import type { Tab } from '../state/tabs.ts'
import { Kbd } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import type { TerminalController } from './controller.ts'
import { QuestionCard } from './questions.tsx'
import { SshLogin } from './ssh-login.tsx'

export interface OverlayProps {
	readonly tab: Tab
	readonly controller: TerminalController
}

/** What lies over the screen: a question, or the way there. */
export function Overlay({ tab }: Pick<OverlayProps, 'tab'>) {
	if (tab.question !== undefined) {
		return tab.question.kind === 'login' ? (
			<SshLogin tab={tab} question={tab.question} key={`${tab.question.prompt.prompt_id}`} />
		) : (
			<QuestionCard question={tab.question} nodeName={plainLine(tab.nodeName, 60)} />
		)
	}
	if (tab.phase.kind !== 'connecting') return null
	return (
		<div role="status" className="anim-fade absolute inset-x-0 top-0 flex items-center gap-2.5 px-4 py-3 text-sm">
			<LoaderCircle className="size-4 animate-spin text-accent" aria-hidden="true" />
			<span className="rounded bg-raised px-1.5 text-muted">{tab.phase.step}…</span>
		</div>
	)
}

/** Below the screen, so that no line of output is covered: on its way back, or why it ended. */
export function StatusBar({ tab, controller }: OverlayProps) {
	switch (tab.phase.kind) {
		case 'waiting':
		case 'connecting':
		case 'open':
			return null
		case 'reattaching':
			return (
				<Bar
					icon={<WifiOff className="size-4 text-warn" />}
					action={
						<Button size="sm" onClick={() => controller.reconnect()} icon={<RefreshCw className="size-3.5" />}>
							Try now
						</Button>
					}
				>
					<span className="font-medium">Reconnecting…</span>{' '}
					<span className="text-muted">{sentence(tab.phase.reason)} The shell goes on at the machine.</span>
				</Bar>
			)
		case 'ended':
			return <EndedBar tab={tab} phase={tab.phase} controller={controller} />
	}
}

function EndedBar({
	tab,
	phase,
	controller,
}: {
	readonly tab: Tab
	readonly phase: Extract<Tab['phase'], { kind: 'ended' }>
	readonly controller: TerminalController
}) {
	const { tabs } = useServices()
	const { hostKey } = tab
	return (
		<Bar
			icon={phase.tone === 'error' ? <CircleAlert className="size-4 text-danger" /> : <PowerOff className="size-4 text-muted" />}
			action={
				<>
					<Button size="sm" variant="ghost" onClick={() => tabs.close(tab.id)}>
						Close
					</Button>
					{phase.again && (
						<Button size="sm" variant="primary" onClick={() => controller.reconnect()}>
							{phase.tone === 'calm' ? 'New session' : 'Reconnect'} <CornerDownLeft className="size-3.5" aria-hidden="true" />
						</Button>
					)}
				</>
			}
		>
			<span className="font-medium">{phase.reason}.</span>{' '}
			{phase.detail !== undefined && <span className="text-muted">{phase.detail}</span>}{' '}
			{phase.again && (
				<span className="whitespace-nowrap text-muted max-sm:hidden">
					Press <Kbd>Enter</Kbd>
				</span>
			)}
			{hostKey?.state === 'changed' && (
				<dl className="mt-2 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-xs">
					<dt className="text-muted">Pinned before</dt>
					<dd className="font-mono break-all">{hostKey.pinned_fingerprint}</dd>
					<dt className="text-muted">Shown now</dt>
					<dd className="font-mono break-all text-danger">{hostKey.fingerprint}</dd>
				</dl>
			)}
		</Bar>
	)
}

function Bar({ icon, action, children }: { readonly icon: ReactNode; readonly action: ReactNode; readonly children: ReactNode }) {
	return (
		<div
			role="alert"
			className="flex shrink-0 flex-wrap items-center justify-end gap-x-3 gap-y-2 border-t border-line bg-raised py-2 pr-2.5 pl-4"
		>
			<div className="flex min-w-0 flex-1 basis-64 items-start gap-3">
				<span className="mt-0.5 shrink-0" aria-hidden="true">
					{icon}
				</span>
				<div className="min-w-0 flex-1 text-sm [overflow-wrap:anywhere]">{children}</div>
			</div>
			<div className="flex shrink-0 items-center gap-2 empty:hidden">{action}</div>
		</div>
	)
}
