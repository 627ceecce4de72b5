import { randomBytes } from 'node:crypto'
import type { Clock } from '@sallyport/carrier'
import type { Capability, NodeId } from '@sallyport/protocol'
import { formatInvite, LIMITS } from '@sallyport/protocol'
import { AgentError } from '../errors.ts'
import type { MadeInvite } from '../local/control-api.ts'
import type { RelayPin } from '../state/relay-pin.ts'
import { OWNER_CAPABILITIES } from './gate.ts'
import type { PairingBook } from './pairing-book.ts'

export interface InviteOptions {
	/** @default LIMITS.inviteMs; `process`: as long as this agent runs, and never on disk */
	readonly life?: number | 'process'
	/** @default OWNER_CAPABILITIES */
	readonly capabilities?: readonly Capability[]
}

const PROCESS_LIFE_MS = 365 * 86_400_000

/**
 * Makes a one-use link that lets its opener in.
 *
 * @throws {AgentError} `not_enrolled`: an invite leads through a relay
 */
export async function makeInvite(
	options: InviteOptions,
	deps: {
		readonly pin: RelayPin | undefined
		readonly nodeId: NodeId
		readonly book: PairingBook
		readonly clock: Clock
	},
): Promise<MadeInvite> {
	const { pin, nodeId, book, clock } = deps
	if (pin === undefined)
		throw new AgentError('not_enrolled', 'this machine is at no relay yet: join one first with sally agent join')
	const inviteId = randomBytes(9).toString('base64url')
	const secret = new Uint8Array(randomBytes(32))
	const lifeMs = options.life === 'process' ? PROCESS_LIFE_MS : (options.life ?? LIMITS.inviteMs)
	const expiresAtMs = clock.nowMs() + lifeMs
	await book.addSecret(
		{
			secret_id: inviteId,
			kind: 'invite',
			secret,
			user: 'local',
			capabilities: [...(options.capabilities ?? OWNER_CAPABILITIES)],
			expires_at: expiresAtMs,
		},
		{ isVolatile: options.life === 'process' },
	)
	const text = formatInvite({
		origin: pin.origin,
		relay_id: pin.relay_id,
		node_id: nodeId,
		node_name: pin.name,
		invite_id: inviteId,
		secret,
		expires: expiresAtMs,
	})
	return { url: `${pin.origin}/#invite=${text}`, text, expiresAtMs }
}
