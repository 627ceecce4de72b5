import type { UserInfo } from '@sallyport/protocol'
import { clsx } from 'clsx'
import { lazy, Suspense, useEffect, useState } from 'react'
import { toast } from 'sonner'
import { Redirect, Route, Switch, useLocation } from 'wouter'
import { toProblem } from '../lib/problem.ts'
import { ApprovalNotices } from '../screens/approval-notice.tsx'
import { Connections } from '../screens/connections.tsx'
import { Devices } from '../screens/devices.tsx'
import { InviteDialog } from '../screens/invite.tsx'
import { Machines } from '../screens/machines.tsx'
import { SettingsPage } from '../screens/settings-page.tsx'
import { SignInAgain } from '../screens/sign-in.tsx'
import { BottomNav, Header } from './header.tsx'
import { useServices, useTabs } from './services.tsx'
import { ShortcutsSheet, useGlobalShortcuts } from './shortcuts.tsx'

const Terminals = lazy(() => import('../terminal/terminals-screen.tsx').then((module) => ({ default: module.TerminalsScreen })))

/** All that is behind the sign-in. Terminals stand beside the routes, so that moving about never touches them. */
export function Shell({ user, isExpired }: { readonly user: UserInfo; readonly isExpired: boolean }) {
	const { client, nodes, approvals } = useServices()
	const { tabs } = useTabs()
	const [path] = useLocation()
	const isTerminals = path.startsWith('/terminals')
	const [wasTerminals, setWasTerminals] = useState(isTerminals)
	const [isHelpOpen, setHelpOpen] = useState(false)
	if (isTerminals && !wasTerminals) setWasTerminals(true)
	useGlobalShortcuts(() => setHelpOpen(true))
	useEffect(() => {
		nodes.start()
		approvals.start()
		// Machines that join by a command of before the reload are paired when they come.
		client.resumeJoins().catch((error: unknown) => toast.error(toProblem(error).message))
		return () => {
			approvals.stop()
			nodes.stop()
		}
	}, [client, nodes, approvals])

	return (
		<div className="flex h-dvh flex-col overflow-hidden">
			<a
				href="#main"
				onClick={(event) => {
					event.preventDefault()
					document.getElementById('main')?.focus()
				}}
				className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-lg focus:bg-accent focus:px-3 focus:py-2 focus:text-on-accent"
			>
				Skip to content
			</a>
			<Header user={user} onHelp={() => setHelpOpen(true)} />
			<main id="main" tabIndex={-1} className={clsx('flex min-h-0 flex-1 flex-col outline-none', !isTerminals && 'page-scroll')}>
				{(wasTerminals || tabs.length > 0) && (
					<Suspense fallback={isTerminals ? <div className="h-10 border-b border-line bg-surface" /> : null}>
						<Terminals isShown={isTerminals} />
					</Suspense>
				)}
				{!isTerminals && (
					<Switch>
						<Route path="/machines/:id?">{({ id }) => <Machines openId={id} />}</Route>
						<Route path="/connections" component={Connections} />
						<Route path="/devices" component={Devices} />
						<Route path="/settings/:section?">
							{({ section }) => <SettingsPage user={user} section={section ?? 'account'} />}
						</Route>
						<Route>
							<Redirect to="/machines" replace />
						</Route>
					</Switch>
				)}
			</main>
			<BottomNav />
			<ApprovalNotices />
			<InviteDialog />
			{isExpired && <SignInAgain user={user} />}
			<ShortcutsSheet isOpen={isHelpOpen} onOpenChange={setHelpOpen} />
		</div>
	)
}
