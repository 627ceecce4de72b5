export const STORE_ERROR_CODES = [
	'STORE_IN_USE',
	'STORE_NOT_WRITABLE',
	'STORE_UNREACHABLE',
	'STORE_TOO_NEW',
	'STORE_TOO_OLD',
] as const
export type StoreErrorCode = (typeof STORE_ERROR_CODES)[number]

/** Why the database can't be used; the message is for the person who started the relay. */
export class StoreError extends Error {
	readonly code: StoreErrorCode

	constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
		super(message, options)
		this.name = 'StoreError'
		this.code = code
	}
}

const UNIQUE_VIOLATION = '23505'
const FOREIGN_KEY_VIOLATION = '23503'
/** SQLSTATE classes of a server that can't serve now: connection, resources, operator's intervention, system. */
const UNAVAILABLE_CLASSES = new Set(['08', '53', '57', '58'])
const NETWORK_CODES = new Set([
	'ECONNREFUSED',
	'ECONNRESET',
	'ENOENT',
	'EPIPE',
	'ETIMEDOUT',
	'EHOSTUNREACH',
	'ENOTFOUND',
	'EAI_AGAIN',
])
const CLOSED_MESSAGES = [
	/connection terminated/i,
	/timeout exceeded when trying to connect/i,
	/database connection is not open/i,
	/after calling end on the pool/i,
	/client has encountered a connection error/i,
	/driver has already been destroyed/i,
]

/** True when the failure says that the database is away rather than that a statement was wrong. */
export function isUnavailable(failure: unknown): boolean {
	if (failure instanceof StoreError) return failure.code === 'STORE_UNREACHABLE'
	if (!(failure instanceof Error)) return false
	const code = codeOf(failure)
	if (code !== undefined) {
		if (NETWORK_CODES.has(code) || UNAVAILABLE_CLASSES.has(code.slice(0, 2))) return true
		if (/^SQLITE_(BUSY|LOCKED|IOERR|FULL|CANTOPEN|READONLY|CORRUPT|NOTADB)/.test(code)) return true
	}
	return CLOSED_MESSAGES.some((pattern) => pattern.test(failure.message)) || isUnavailable(failure.cause)
}

export function isUniqueViolation(failure: unknown): boolean {
	if (!(failure instanceof Error)) return false
	const code = codeOf(failure)
	return code === UNIQUE_VIOLATION || (code?.startsWith('SQLITE_CONSTRAINT') === true && /unique/i.test(failure.message))
}

/** The row that the new one stands on went away at the same moment. */
export function isReferenceGone(failure: unknown): boolean {
	if (!(failure instanceof Error)) return false
	const code = codeOf(failure)
	return (
		code === FOREIGN_KEY_VIOLATION || (code?.startsWith('SQLITE_CONSTRAINT') === true && /foreign key/i.test(failure.message))
	)
}

function codeOf(failure: Error): string | undefined {
	return 'code' in failure && typeof failure.code === 'string' ? failure.code : undefined
}
