/**
 * Password hashing is slow by design (about 80 ms and 16 MiB), so a flood of sign-ins must not take all of the machine:
 * few at a time, a short queue, and a plain "busy" beyond it.
 */
export interface PasswordAlgorithm {
	hash(password: string): Promise<string>
	verify(attempt: { readonly hash: string; readonly password: string }): Promise<boolean>
}

export interface Passwords extends PasswordAlgorithm {
	/** Takes as long as a real check and is always false: for accounts that don't exist. */
	verifyNobody(password: string): Promise<false>
}

export const PASSWORD_MIN = 10
export const PASSWORD_MAX = 256

/** Too many passwords are being checked at once; trying again later helps. */
export class PasswordsBusyError extends Error {
	readonly retryAfterMs = 2000

	constructor() {
		super('too many passwords are being checked at once')
		this.name = 'PasswordsBusyError'
	}
}

export function createPasswords(
	algorithm: PasswordAlgorithm,
	limits: { readonly atOnce: number; readonly waiting: number } = { atOnce: 2, waiting: 64 },
): Passwords {
	const inTurn = createTurns(limits)
	let nobody: Promise<string> | undefined
	return {
		hash: (password) => inTurn(() => algorithm.hash(password)),
		verify: (attempt) => inTurn(() => algorithm.verify(attempt)),
		async verifyNobody(password) {
			nobody ??= inTurn(() => algorithm.hash('the password of nobody'))
			const hash = await nobody.catch((failure: unknown) => {
				nobody = undefined
				throw failure
			})
			await inTurn(() => algorithm.verify({ hash, password }))
			return false
		},
	}
}

/** What is wrong with a new password, or undefined. */
export function passwordProblem(password: string): string | undefined {
	if (password.length < PASSWORD_MIN)
		return `the password has ${password.length} characters: choose one of at least ${PASSWORD_MIN}, for example four words`
	if (password.length > PASSWORD_MAX)
		return `the password has ${password.length} characters: choose one of at most ${PASSWORD_MAX}`
	return undefined
}

function createTurns(limits: { readonly atOnce: number; readonly waiting: number }) {
	const queue: (() => void)[] = []
	let running = 0
	return async <T>(work: () => Promise<T>): Promise<T> => {
		if (running >= limits.atOnce) {
			if (queue.length >= limits.waiting) throw new PasswordsBusyError()
			// Whoever ends hands over its place, so `running` isn't raised here.
			await new Promise<void>((resolve) => queue.push(resolve))
		} else running++
		try {
			return await work()
		} finally {
			const next = queue.shift()
			if (next === undefined) running--
			else next()
		}
	}
}
