import type { UserInfo } from '@sallyport/protocol'
import { clsx } from 'clsx'
import { Activity, Keyboard, Laptop, LogOut, Monitor, Moon, Server, Settings, SquareTerminal, Sun } from 'lucide-react'
import { toast } from 'sonner'
import { Link, useLocation } from 'wouter'
import { toProblem } from '../lib/problem.ts'
import { IconButton } from '../ui/button.tsx'
import { Wordmark } from '../ui/logo.tsx'
import { Menu, MenuChoice, MenuHeading, MenuItem, MenuSeparator } from '../ui/menu.tsx'
import { useServices, useSettings, useTabs } from './services.tsx'

const NAV = [
	{ path: '/machines', label: 'Machines', icon: Server },
	{ path: '/terminals', label: 'Terminals', icon: SquareTerminal },
	{ path: '/connections', label: 'Connections', icon: Activity },
	{ path: '/devices', label: 'Devices', icon: Laptop },
	{ path: '/settings', label: 'Settings', icon: Settings },
] as const

export function Header({ user, onHelp }: { readonly user: UserInfo; readonly onHelp: () => void }) {
	const [path] = useLocation()
	const { tabs } = useTabs()
	return (
		<header className="z-30 flex h-12 shrink-0 items-center gap-2 border-b border-line bg-surface px-4 sm:px-5">
			<Link href="/machines" className="mr-3 flex items-center rounded-md" aria-label="Sallyport, to machines">
				<Wordmark />
			</Link>
			<nav aria-label="Main" className="hidden h-full items-stretch gap-1 md:flex">
				{NAV.map(({ path: target, label }) => {
					const isHere = path.startsWith(target)
					return (
						<Link
							key={target}
							href={target}
							aria-current={isHere ? 'page' : undefined}
							className={clsx(
								'relative flex items-center gap-1.5 rounded-md px-2.5 text-sm font-medium transition-colors -outline-offset-2',
								isHere
									? 'text-text after:absolute after:inset-x-2.5 after:bottom-0 after:h-0.5 after:rounded-full after:bg-accent'
									: 'text-muted hover:text-text',
							)}
						>
							{label}
							{target === '/terminals' && tabs.length > 0 && <Count value={tabs.length} />}
						</Link>
					)
				})}
			</nav>
			<div className="ml-auto flex items-center gap-1">
				<span className="hidden sm:inline-flex">
					<IconButton label="Keyboard shortcuts (?)" onClick={onHelp}>
						<Keyboard className="size-4" />
					</IconButton>
				</span>
				<UserMenu user={user} />
			</div>
		</header>
	)
}

function Count({ value }: { readonly value: number }) {
	return (
		<span className="tabular inline-flex h-4 min-w-4 items-center justify-center rounded-full bg-accent-soft px-1 text-2xs font-semibold text-accent">
			{value}
			<span className="sr-only"> open</span>
		</span>
	)
}

function UserMenu({ user }: { readonly user: UserInfo }) {
	const { account, tabs, settings } = useServices()
	const { theme } = useSettings()
	const [, navigate] = useLocation()
	const signOut = () => {
		account.signOut().then(
			() => {
				tabs.closeAll()
				navigate('/machines')
			},
			(error: unknown) => toast.error(`You are still signed in. ${toProblem(error).message}`),
		)
	}
	return (
		<Menu
			label="Account"
			trigger={
				<button
					type="button"
					aria-label={`Account of ${user.username}`}
					className="flex size-8 items-center justify-center rounded-full border border-line bg-sunken text-xs font-semibold text-muted uppercase transition-colors hover:border-line-strong hover:text-text"
				>
					{Array.from(user.username).slice(0, 2).join('')}
				</button>
			}
		>
			<div className="px-2.5 pt-1.5 pb-2">
				<div className="truncate text-sm font-medium">{user.username}</div>
				<div className="truncate text-xs text-muted">{user.email}</div>
			</div>
			<MenuSeparator />
			<MenuHeading>Theme</MenuHeading>
			<MenuChoice
				value={theme}
				onChange={(choice) => settings.update({ theme: choice })}
				options={[
					{ value: 'system', label: 'System', icon: <Monitor className="size-4 text-muted" /> },
					{ value: 'light', label: 'Light', icon: <Sun className="size-4 text-muted" /> },
					{ value: 'dark', label: 'Dark', icon: <Moon className="size-4 text-muted" /> },
				]}
			/>
			<MenuSeparator />
			<MenuItem label="Account and settings" icon={<Settings />} onSelect={() => navigate('/settings')} />
			<MenuItem label="Sign out" icon={<LogOut />} onSelect={signOut} />
		</Menu>
	)
}

/** The same places at thumb's reach on a phone; hidden where a terminal needs the room. */
export function BottomNav() {
	const [path] = useLocation()
	const { tabs } = useTabs()
	return (
		<nav
			aria-label="Main"
			className="z-30 flex shrink-0 border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] md:hidden"
		>
			{NAV.map(({ path: target, label, icon: Icon }) => {
				const isHere = path.startsWith(target)
				return (
					<Link
						key={target}
						href={target}
						aria-current={isHere ? 'page' : undefined}
						className={clsx(
							'relative flex h-13 min-w-0 flex-1 flex-col items-center justify-center gap-0.5 -outline-offset-2',
							isHere ? 'text-accent' : 'text-muted',
						)}
					>
						<Icon className="size-[1.125rem]" aria-hidden="true" />
						<span className="max-w-full truncate px-0.5 text-[0.625rem] leading-[1.3] font-medium">{label}</span>
						{target === '/terminals' && tabs.length > 0 && (
							<span className="absolute top-1 left-1/2 ml-1.5">
								<Count value={tabs.length} />
							</span>
						)}
					</Link>
				)
			})}
		</nav>
	)
}
