import { RefreshCw } from 'lucide-react'
import { useServices } from '../app/services.tsx'
import type { Problem } from '../lib/problem.ts'
import { Callout } from '../ui/bits.tsx'
import { Button } from '../ui/button.tsx'
import { CopyBlock } from '../ui/copy.tsx'
import { LogoMark } from '../ui/logo.tsx'
import { FrontDoor } from './front-door.tsx'

/** Shown for the moment in which the relay answers; nothing that would flash. */
export function Starting() {
	return (
		<main className="flex min-h-dvh items-center justify-center" aria-busy="true">
			<span className="anim-pulse">
				<LogoMark size={36} />
			</span>
			<span className="sr-only" role="status">
				Loading
			</span>
		</main>
	)
}

export function Unreachable({ problem }: { readonly problem: Problem }) {
	const { account } = useServices()
	return (
		<FrontDoor
			title="The relay doesn’t answer"
			lead="This page came from it a moment ago, so it may be restarting, or this device may be offline."
			note="Your machines and the shells on them go on without it."
		>
			<div className="flex flex-col gap-4">
				<Callout tone="warn">{problem.message}</Callout>
				<Button variant="primary" size="lg" icon={<RefreshCw className="size-4" />} onClick={() => void account.start()}>
					Try again
				</Button>
			</div>
		</FrontDoor>
	)
}

export function AwaitingOwner() {
	return (
		<FrontDoor
			title="This relay has no owner yet"
			lead="Its set-up link was printed where it was started. The link works once, and a new one is made each time the relay starts."
		>
			<div className="flex flex-col gap-3">
				<p className="text-sm">Open the link from that terminal. If it is gone, stop the relay there and start it again:</p>
				<CopyBlock text="npm start" label="Command that starts the relay" isPrimary={false} />
			</div>
		</FrontDoor>
	)
}

/** The page can't keep keys: browsers offer cryptography only where the address is https or loopback. */
export function Insecure({ host }: { readonly host: string }) {
	return (
		<FrontDoor
			title="This address is not secure"
			lead={`Browsers keep keys only for https pages and for this machine itself, and ${host} is neither.`}
		>
			<Callout title="What to do">
				Open the relay by its https address, or on the machine where it runs by http://127.0.0.1 and its port. PUBLIC_URL,
				TLS_CERT and TLS_KEY are explained in the manual under “Settings”.
			</Callout>
		</FrontDoor>
	)
}

export function NoKeys({ reason }: { readonly reason: string }) {
	return (
		<FrontDoor
			title="This browser can’t keep a key"
			lead="Sallyport makes this browser a key of its own and stores it here. That failed:"
		>
			<div className="flex flex-col gap-4">
				<Callout tone="danger">{reason}</Callout>
				<p className="text-sm text-muted">
					Private windows and “block all site data” settings prevent it. Use a normal window, or allow this site to store data.
				</p>
				<Button variant="primary" size="lg" onClick={() => location.reload()}>
					Reload
				</Button>
			</div>
		</FrontDoor>
	)
}
