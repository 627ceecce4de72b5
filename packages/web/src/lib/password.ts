export const MIN_PASSWORD_CHARS = 10
export const MAX_PASSWORD_CHARS = 128

export interface PasswordStrength {
	/** 0: too short to be taken. */
	readonly score: 0 | 1 | 2 | 3 | 4
	readonly label: string
	readonly hint: string
}

const COMMON = [
	'password',
	'passwort',
	'qwerty',
	'letmein',
	'welcome',
	'admin',
	'sallyport',
	'12345',
	'iloveyou',
	'abc123',
	'changeme',
]

/** A rough, honest estimate: length counts most; repeats, runs and well-known words are taken off. */
export function passwordStrength(password: string, personal: readonly string[] = []): PasswordStrength {
	if (password.length < MIN_PASSWORD_CHARS) {
		const missing = MIN_PASSWORD_CHARS - password.length
		return { score: 0, label: 'Too short', hint: `${missing} more ${missing === 1 ? 'character' : 'characters'} needed` }
	}
	const bits = estimateBits(password, personal)
	if (bits < 36) return { score: 1, label: 'Weak', hint: 'Easy to guess: add words that have nothing to do with each other' }
	if (bits < 52) return { score: 2, label: 'Fair', hint: 'Longer is better than stranger: one more word helps' }
	if (bits < 70) return { score: 3, label: 'Good', hint: 'A password manager can keep a longer one' }
	return { score: 4, label: 'Strong', hint: 'Hard to guess, even for a computer' }
}

function estimateBits(password: string, personal: readonly string[]): number {
	let rest = password.toLowerCase()
	let bits = 0
	for (const word of [...COMMON, ...personal.map((text) => text.toLowerCase()).filter((text) => text.length >= 3)]) {
		while (rest.includes(word)) {
			rest = rest.replace(word, '')
			bits += 4
		}
	}
	const squeezed = rest.replace(/(.)\1+/g, '$1')
	const classes = [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z\d]/].filter((shape) => shape.test(password)).length
	const perChar = 2.4 + classes * 0.6
	return bits + countSteps(squeezed) * perChar
}

/** Characters that don't merely go on from the one before (`abc`, `321`). */
function countSteps(text: string): number {
	let steps = 0
	for (let index = 0; index < text.length; index++) {
		const step = index === 0 ? 9 : text.charCodeAt(index) - text.charCodeAt(index - 1)
		if (Math.abs(step) !== 1) steps++
	}
	return steps
}
