/** Why a socket of a hop was closed. `retry` says whether the same act may succeed later without a change. */
export interface CloseCode {
	readonly code: number
	readonly name: string
	readonly retry: boolean
	/** What the person on the other side reads. */
	readonly message: string
}

export const CLOSE = {
	badRequest: {
		code: 4400,
		name: 'bad_request',
		retry: false,
		message: 'the other side sent something this version does not understand',
	},
	credentialExpired: {
		code: 4401,
		name: 'credential_expired',
		retry: false,
		message: 'the credential has expired or was revoked; sign in again',
	},
	forbidden: { code: 4403, name: 'forbidden', retry: false, message: 'this credential does not allow that' },
	notFound: { code: 4404, name: 'not_found', retry: false, message: 'there is no such machine, or it is not shared with you' },
	timedOut: { code: 4408, name: 'timed_out', retry: true, message: 'the other side did not answer in time' },
	replaced: { code: 4409, name: 'replaced', retry: true, message: 'another connection with the same identity took over' },
	nodeOffline: { code: 4410, name: 'node_offline', retry: true, message: 'the machine is not connected to the relay' },
	handshakeFailed: {
		code: 4412,
		name: 'handshake_failed',
		retry: false,
		message: 'the machine and this device could not agree on keys',
	},
	version: {
		code: 4426,
		name: 'version',
		retry: false,
		message: 'the two sides speak different versions; upgrade the older one',
	},
	rateLimited: { code: 4429, name: 'rate_limited', retry: true, message: 'too many attempts; wait and try again' },
	normal: { code: 1000, name: 'normal', retry: false, message: 'closed' },
	restarting: { code: 1012, name: 'relay_restarting', retry: true, message: 'the relay is restarting' },
	tooSlow: { code: 1013, name: 'too_slow', retry: true, message: 'the other side stopped reading' },
	tooLarge: { code: 1009, name: 'too_large', retry: false, message: 'the other side sent a message larger than is allowed' },
	lost: { code: 1006, name: 'connection_lost', retry: true, message: 'the connection was lost' },
} as const satisfies Record<string, CloseCode>

export type CloseName = (typeof CLOSE)[keyof typeof CLOSE]['name']

/** The close with that code; an unknown code is reported as a lost connection, which may be retried. */
export function closeFromCode(code: number): CloseCode {
	return Object.values(CLOSE).find((close) => close.code === code) ?? CLOSE.lost
}

/** Why one stream was refused or ended both ways. */
export const RESET_CODES = [
	'cancelled',
	'capability_missing',
	'policy_refused',
	'unsupported',
	'limit_reached',
	'not_found',
	'spawn_failed',
	'connect_refused',
	'connect_timed_out',
	'host_unreachable',
	'name_unknown',
	'auth_failed',
	'host_key_changed',
	'protocol_error',
	'agent_restarted',
	'session_ended',
	'link_lost',
	'internal',
] as const
export type ResetCode = (typeof RESET_CODES)[number]

/** Why a link ended. All but the first five travel as the `code` of `close_link`. */
export const LINK_END_CODES = [
	'connection_lost',
	'tampered',
	'handshake_failed',
	'key_changed',
	'refused',
	'closed_by_client',
	'closed_by_node',
	'session_revoked',
	'session_expired',
	'session_unknown',
	'pairing_required',
	'agent_stopping',
	'agent_restarted',
	'replaced',
	'protocol_error',
	'resume_failed',
	'parked_too_long',
	'internal',
] as const
export type LinkEndCode = (typeof LINK_END_CODES)[number]
