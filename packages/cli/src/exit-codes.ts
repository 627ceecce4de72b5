import { ClientError, type ClientErrorCode } from '@sallyport/client'

/** What the command's exit status tells scripts; listed in `docs/cli.md`. */
export const EXIT = {
	ok: 0,
	failed: 1,
	usage: 2,
	notSignedIn: 3,
	notFound: 4,
	offline: 5,
	refused: 6,
	/** Of ssh-like commands: the way to the machine failed, not what runs on it. */
	transport: 255,
} as const

/** A failure with a sentence for the person and a status for the script. */
export class CliError extends Error {
	override readonly name = 'CliError'
	readonly status: number
	/** Of the failure behind it, when there is one; `--json` shows it. */
	readonly code: string

	constructor(status: number, message: string, options: { readonly code?: string; readonly cause?: unknown } = {}) {
		super(message, options.cause === undefined ? undefined : { cause: options.cause })
		this.status = status
		this.code = options.code ?? 'failed'
	}

	static from(caught: unknown): CliError {
		if (caught instanceof CliError) return caught
		if (isUserFault(caught)) return new CliError(EXIT.failed, caught.message, { code: caught.code, cause: caught })
		const error = ClientError.from(caught)
		return new CliError(statusOf(error.code), error.message, { code: error.code, cause: error })
	}
}

const STATUS: Partial<Record<ClientErrorCode, number>> = {
	unauthenticated: EXIT.notSignedIn,
	token_invalid: EXIT.notSignedIn,
	not_found: EXIT.notFound,
	node_offline: EXIT.offline,
	relay_restarting: EXIT.offline,
	not_paired: EXIT.refused,
	session_gone: EXIT.refused,
	key_changed: EXIT.refused,
	relay_changed: EXIT.refused,
	forbidden: EXIT.refused,
	refused: EXIT.refused,
	pairing_failed: EXIT.refused,
	wrong_code: EXIT.refused,
	burned: EXIT.refused,
	expired: EXIT.refused,
}

export function statusOf(code: ClientErrorCode): number {
	return STATUS[code] ?? EXIT.failed
}

/** Errors of files, relay and agent are already sentences for people. */
function isUserFault(caught: unknown): caught is Error & { readonly code: string } {
	return (
		caught instanceof Error &&
		['SecureFileError', 'AgentError', 'RelayError', 'ConfigError'].includes(caught.name) &&
		'code' in caught &&
		typeof caught.code === 'string'
	)
}
