/** What counts as a secret written down. */

/** Names whose value opens something. The last words of a name decide: `tokenKind` is none, `accessToken` is one. */
const SECRET_NAMES = [
	['password'],
	['passwd'],
	['passphrase'],
	['secret'],
	['token'],
	['pat'],
	['psk'],
	['api', 'key'],
	['apikey'],
	['private', 'key'],
	['signing', 'key'],
	['encryption', 'key'],
	['master', 'key'],
	['secret', 'key'],
	['access', 'key'],
]

/**
 * Shapes that are secrets whatever they are called.
 *
 * @type {readonly { readonly name: string, readonly pattern: RegExp, readonly testsMay?: boolean }[]}
 */
const SHAPES = [
	{ name: 'private key', pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[A-Za-z0-9+/=\s]{40,}/ },
	{ name: 'Sallyport token', pattern: /sly_(?:pat|cli|web|enrol|page_ticket|link_ticket)_[0-9A-Za-z]{61}(?![0-9A-Za-z])/ },
	{ name: 'JSON web token', pattern: /eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/ },
	{ name: 'AWS key', pattern: /\bAKIA[0-9A-Z]{16}\b/ },
	{ name: 'GitHub token', pattern: /\bgh[pousr]_[0-9A-Za-z]{36}\b/ },
	{
		name: 'password in a URL',
		testsMay: true,
		pattern: /\b[a-z][a-z0-9+]*:\/\/[^\s/:@'"`$<{]+:(?!password@|\*+@)[^\s/:@'"`$<{]{3,}@/,
	},
]

/** @param {string} name in any case: `jwtSecret`, `JWT_SECRET`, `jwt-secret` */
export function isSecretName(name) {
	const words = wordsOf(name)
	return SECRET_NAMES.some((ending) => ending.every((word, index) => words[words.length - ending.length + index] === word))
}

/**
 * Whether a value could be used as a secret: text for people, names of settings, labels and placeholders can't.
 *
 * @param {string} value
 */
export function looksLikeSecretValue(value) {
	if (value.length < 4 || /\s/.test(value)) return false
	const isPlaceholder = /^(<.*>|\[.*\]|\*+|\.\.\.|…|x+|\$\{?.*\}?|%.*%|process\.env.*)$/i.test(value)
	const isSettingName = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/.test(value)
	const isLabel = /^(sallyport-|sly_|x-|\/|https?:\/\/[^:@]*$|#|--|@)/.test(value) && !/^sly_[a-z_]+_.{20,}/.test(value)
	return !(isPlaceholder || isSettingName || isLabel)
}

/**
 * @param {string} text
 * @param {boolean} isTest
 * @returns {readonly { readonly name: string, readonly index: number }[]}
 */
export function secretShapes(text, isTest) {
	return SHAPES.filter((shape) => !(isTest && shape.testsMay)).flatMap(({ name, pattern }) => {
		const match = pattern.exec(text)
		return match === null ? [] : [{ name, index: match.index }]
	})
}

/**
 * A column or field that is named as its property is (`accessToken: 'access_token'`). One word alone doesn't count:
 * `password: 'password'` is the best known default there is.
 *
 * @param {string} name
 * @param {string} value
 */
export function isSameWords(name, value) {
	const words = wordsOf(value)
	return words.length > 1 && words.join(' ') === wordsOf(name).join(' ')
}

/** @param {string} name */
function wordsOf(name) {
	return name
		.replace(/([a-z0-9])([A-Z])/g, '$1 $2')
		.toLowerCase()
		.split(/[^a-z0-9]+/)
		.filter((word) => word !== '')
}
