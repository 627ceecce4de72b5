import type { Logger } from '@sallyport/protocol'
import type { Heartbeat } from '@sallyport/transport/node'
import type { ControlPlane } from '../control-plane.ts'
import type { DialTickets } from './dial-tickets.ts'
import type { Ledger } from './ledger.ts'
import type { Links } from './links.ts'
import type { Moment } from './node-info.ts'
import type { Origins } from './origins.ts'
import type { Presence } from './presence.ts'

/** What the doors of one edge share. */
export interface EdgeContext {
	readonly control: ControlPlane
	readonly origins: Origins
	readonly presence: Presence
	readonly tickets: DialTickets
	readonly links: Links
	readonly ledger: Ledger
	readonly heartbeat: Heartbeat
	/** Writes under way that must be done before the database may be closed. */
	readonly bookkeeping: Set<Promise<void>>
	readonly log: Logger
	readonly nowMs: () => number
	readonly moment: () => Moment
}

/** Whoever is at the other end of a new socket. */
export interface Peer {
	readonly address: string
	readonly host: string | undefined
}
