/** An error as a person reads it, whatever was thrown. */
export interface Problem {
	readonly code: string
	readonly message: string
	readonly retryAfterMs?: number
	/** Why the other side refused one stream, where that is what happened. */
	readonly resetCode?: string
}

/** `name`: that of a machine the message may begin with, kept as it is written. */
export function toProblem(error: unknown, name?: string): Problem {
	if (!(error instanceof Error))
		return { code: 'internal', message: 'Something went wrong in this page. Reload it and try again.' }
	const code = 'code' in error && typeof error.code === 'string' ? error.code : 'internal'
	const wait = 'retryAfterMs' in error && typeof error.retryAfterMs === 'number' ? { retryAfterMs: error.retryAfterMs } : {}
	const reset = code === 'reset' && isCoded(error.cause) ? { resetCode: error.cause.code } : {}
	return { code, message: sentence(error.message, name), ...wait, ...reset }
}

function isCoded(value: unknown): value is { readonly code: string } {
	return typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'string'
}

/** Library messages are lower case without a full stop; people read sentences. */
export function sentence(message: string, name?: string): string {
	const text = message.trim()
	if (text === '') return 'No reason was given.'
	const head =
		/^[a-z]+(?:[ ,;’']|:(?!\/\/))/.test(text) && !(name !== undefined && text.startsWith(`${name} `))
			? text.charAt(0).toUpperCase() + text.slice(1)
			: text
	return /[.!?…]$/.test(head) ? head : `${head}.`
}
