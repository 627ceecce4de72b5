import type { PrivateDirectory } from '@sallyport/carrier/node'
import type { Logger } from '@sallyport/protocol'
import { errorText } from '../errors.ts'
import type { StoredSession } from '../state/pairing-schema.ts'

export const PAIRING_LOG = 'pairings.jsonl'

/** What happened to a pairing; one line of the log each. */
export type PairingEvent =
	| { readonly event: 'paired' | 'revoked'; readonly session: StoredSession }
	| { readonly event: 'suspended' | 'lifted'; readonly detail: string }
	| { readonly event: 'approval_failed'; readonly detail: string; readonly deviceName: string; readonly address: string }

/** Every pairing of this node, append-only: who got in, how, and when. It is never rewritten and holds no secret. */
export class PairingLog {
	readonly #directory: PrivateDirectory
	readonly #log: Logger
	#last: Promise<void> = Promise.resolve()

	constructor(directory: PrivateDirectory, log: Logger) {
		this.#directory = directory
		this.#log = log
	}

	/** Resolves when the line is on disk, or the log was told why it isn't: a full disk must not lock people out. */
	add(event: PairingEvent, atMs: number): Promise<void> {
		const line = JSON.stringify({ at: new Date(atMs).toISOString(), ...describe(event) })
		this.#last = this.#last.then(() =>
			this.#directory.appendLine(PAIRING_LOG, line).catch((error: unknown) => {
				this.#log.error('pairing log cannot be written', { reason: errorText(error) })
			}),
		)
		return this.#last
	}
}

function describe(event: PairingEvent): Record<string, unknown> {
	if (event.event !== 'paired' && event.event !== 'revoked') return { ...event }
	const { session } = event
	return {
		event: event.event,
		session_id: session.session_id,
		device_id: session.device_id,
		device_name: session.device_name,
		user: session.user,
		paired_by: session.paired_by,
		capabilities: session.capabilities,
		address: session.address,
	}
}
