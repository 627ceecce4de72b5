import type { UserInfo } from '@sallyport/protocol'
import { clsx } from 'clsx'
import { Link, Redirect } from 'wouter'
import { Page } from '../ui/page.tsx'
import { AccountSettings } from './settings-account.tsx'
import { Appearance } from './settings-appearance.tsx'
import { SignIns } from './settings-sign-ins.tsx'
import { Tokens } from './settings-tokens.tsx'

const SECTIONS = [
	{ id: 'account', label: 'Account' },
	{ id: 'sign-ins', label: 'Sign-ins' },
	{ id: 'tokens', label: 'Tokens' },
	{ id: 'appearance', label: 'Appearance' },
] as const

export function SettingsPage({ user, section }: { readonly user: UserInfo; readonly section: string }) {
	const here = SECTIONS.find(({ id }) => id === section)
	if (here === undefined) return <Redirect to="/settings" replace />
	return (
		<Page title="Settings" width="narrow">
			<div className="grid gap-6 md:grid-cols-[10rem_1fr] md:gap-10">
				<nav aria-label="Settings" className="scroll-none -mx-1 flex gap-1 overflow-x-auto p-1 md:flex-col">
					{SECTIONS.map(({ id, label }) => (
						<Link
							key={id}
							href={`/settings/${id}`}
							aria-current={id === here.id ? 'page' : undefined}
							className={clsx(
								'rounded-md px-2 py-1.5 md:px-2.5 text-sm font-medium whitespace-nowrap',
								id === here.id ? 'bg-surface text-text shadow-card ring-1 ring-line' : 'text-muted hover:text-text',
							)}
						>
							{label}
						</Link>
					))}
				</nav>
				<div className="min-w-0">
					<Body user={user} id={here.id} />
				</div>
			</div>
		</Page>
	)
}

function Body({ user, id }: { readonly user: UserInfo; readonly id: (typeof SECTIONS)[number]['id'] }) {
	switch (id) {
		case 'account':
			return <AccountSettings user={user} />
		case 'sign-ins':
			return <SignIns />
		case 'tokens':
			return <Tokens />
		case 'appearance':
			return <Appearance />
	}
}
