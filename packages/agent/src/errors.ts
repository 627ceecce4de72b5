/** Why the agent could not do what was asked. Stable; listed in `docs/errors.md`. */
export const AGENT_ERROR_CODES = [
	'bad_config',
	'bad_policy',
	'state_corrupt',
	'already_running',
	'not_running',
	'port_taken',
	'cannot_listen',
	'not_enrolled',
	'already_enrolled',
	'join_invalid',
	'join_expired',
	'join_declined',
	'relay_unreachable',
	'relay_insecure',
	'relay_changed',
	'enrol_refused',
	'not_found',
	'wrong_code',
	'burned',
	'expired',
	'service_failed',
	'request_failed',
] as const
export type AgentErrorCode = (typeof AGENT_ERROR_CODES)[number]

/** The agent's one error. The message says what happened, why, and what to do now; it holds no secret. */
export class AgentError extends Error {
	override readonly name = 'AgentError'
	readonly code: AgentErrorCode
	/** Whether the same act, unchanged, may succeed later. */
	readonly retry: boolean

	constructor(code: AgentErrorCode, message: string, options: { readonly retry?: boolean; readonly cause?: unknown } = {}) {
		super(message, options.cause === undefined ? {} : { cause: options.cause })
		this.code = code
		this.retry = options.retry ?? false
	}
}

/** The text of whatever was thrown. */
export function errorText(error: unknown): string {
	return error instanceof Error ? error.message : String(error)
}

/** The system's code of an error (`ECONNREFUSED`), or an empty text. */
export function systemCode(error: unknown): string {
	return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
