import { useEffect } from 'react'
import { Toaster } from 'sonner'
import { Router } from 'wouter'
import { useHashLocation } from 'wouter/use-hash-location'
import { useStore } from 'zustand'
import { parseFragment } from '../lib/fragment.ts'
import { AwaitingOwner, Starting, Unreachable } from '../screens/boot.tsx'
import { FirstRunInvite } from '../screens/invite.tsx'
import { SetUp } from '../screens/set-up.tsx'
import { SignIn } from '../screens/sign-in.tsx'
import { followTheme, resolveTheme } from '../state/settings.ts'
import type { Services } from './services.tsx'
import { ServicesContext, useAccount } from './services.tsx'
import { Shell } from './shell.tsx'

export function App({ services }: { readonly services: Services }) {
	const { account, settings } = services
	const theme = useStore(settings.store, (state) => state.theme)
	useEffect(() => void account.start(), [account])
	useEffect(() => followTheme(settings, document.documentElement, matchMedia('(prefers-color-scheme: dark)')), [settings])
	useEffect(() => {
		// A one-use link pasted into a page that is already open: only the fragment changes.
		const take = () => {
			if (location.hash === '' || location.hash.startsWith('#/')) return
			const fragment = parseFragment(location.hash)
			history.replaceState(null, '', `${location.pathname}${location.search}#/`)
			account.offerInvite(fragment)
		}
		window.addEventListener('hashchange', take)
		return () => window.removeEventListener('hashchange', take)
	}, [account])
	return (
		<ServicesContext value={services}>
			<Router hook={useHashLocation}>
				<Screen />
			</Router>
			<Toaster
				theme={resolveTheme(theme, matchMedia('(prefers-color-scheme: dark)').matches)}
				position="bottom-right"
				offset={{ bottom: 24, right: 24 }}
				mobileOffset={{ bottom: 76 }}
				toastOptions={{ className: 'sally-toast' }}
			/>
		</ServicesContext>
	)
}

function Screen() {
	const { phase, isFirstRun, invite } = useAccount()
	switch (phase.kind) {
		case 'starting':
			return <Starting />
		case 'unreachable':
			return <Unreachable problem={phase.problem} />
		case 'awaiting_owner':
			return <AwaitingOwner />
		case 'setup':
			return <SetUp secret={phase.secret} />
		case 'signed_out':
			return <SignIn />
		case 'signed_in':
			return isFirstRun && invite !== undefined ? (
				<FirstRunInvite invite={invite} user={phase.user} />
			) : (
				<Shell user={phase.user} isExpired={phase.isExpired} />
			)
	}
}
