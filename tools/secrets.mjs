/**
 * No static shared secret: no password, token, signing secret or private key stands in the tree, and no setting for one
 * has a default. A line that only looks like one ends in `not-a-secret: <why>`.
 */
import { parseSync, Visitor } from 'oxc-parser'
import { lineOf } from './lib/imports.mjs'
import { isSameWords, isSecretName, looksLikeSecretValue, secretShapes } from './lib/secret-words.mjs'
import { listFiles, readText } from './lib/tree.mjs'

/** @typedef {{ readonly line: number, readonly what: string }} Finding */

const CODE = /\.(ts|tsx|mts|cts|js|mjs|cjs|jsx)$/
const CONFIG =
	/(\.(ya?ml|toml|ini|conf|cfg|env|sh|bash|service|json|properties|tf|sql|html)|(^|\/)(\.env[^/]*|Dockerfile[^/]*|Caddyfile|run))$/
const TEXT = /\.(md|txt|svg|css)$/
const TEST = /(\.(test|bench|fixture)\.tsx?$|^(test|fuzz|vectors)\/|^packages\/(testkit|conformance|[^/]+\/test)\/)/
const EXCUSE = /not-a-secret: \S/

/**
 * @param {string} path
 * @param {string} source
 * @returns {readonly string[]} problems, as `path:line: what`
 */
export function secretsIn(path, source) {
	const lines = source.split('\n')
	/** @type {Finding[]} */
	const findings = secretShapes(source, TEST.test(path)).map(({ name, index }) => ({
		line: lineOf(source, index),
		what: `a ${name}`,
	}))
	if (!TEST.test(path)) {
		if (CODE.test(path)) findings.push(...secretsInCode(path, source))
		else if (CONFIG.test(path)) findings.push(...secretsInConfig(lines))
	}
	return findings
		.filter(({ line }, index) => findings.findIndex((other) => other.line === line) === index)
		.filter(({ line }) => !EXCUSE.test(lines[line - 1] ?? ''))
		.map(
			({ line, what }) =>
				`${path}:${line}: ${what} is written down; make it at first start, or read it from a setting without default`,
		)
}

/**
 * Literals given to a name of a secret: constants, properties, assignments, defaults of parameters, and what stands
 * behind `??` or `||` of such a name.
 *
 * @param {string} path
 * @param {string} source
 * @returns {readonly Finding[]}
 */
function secretsInCode(path, source) {
	/** @type {Finding[]} */
	const findings = []
	/**
	 * @param {unknown} target
	 * @param {unknown} value
	 */
	const judge = (target, value) => {
		const name = nameOf(target)
		const literal = literalOf(value)
		if (
			name === undefined ||
			literal === undefined ||
			!isSecretName(name) ||
			!looksLikeSecretValue(literal.value) ||
			isSameWords(name, literal.value)
		)
			return
		findings.push({ line: lineOf(source, literal.start), what: `a value for ${name}` })
	}
	new Visitor({
		VariableDeclarator: (node) => judge(node.id, node.init),
		PropertyDefinition: (node) => judge(node.key, node.value),
		Property: (node) => judge(node.key, node.value),
		AssignmentExpression: (node) => judge(node.left, node.right),
		AssignmentPattern: (node) => judge(node.left, node.right),
		LogicalExpression: (node) => judge(node.left, node.right),
	}).visit(parseSync(path, source).program)
	return findings
}

/** @param {readonly string[]} lines @returns {readonly Finding[]} */
function secretsInConfig(lines) {
	const assignment = /^\s*(?:-\s+|export\s+|ENV\s+|ARG\s+|Environment=)?["']?([A-Za-z_][\w.-]*)["']?\s*[:=]\s*["']?([^\s"',#]+)/
	const fallback = /\$\{([A-Za-z_]\w*):?[-=]([^}]+)\}/g
	return lines.flatMap((text, index) => {
		const pairs = [...text.matchAll(fallback)].map(([, name = '', value = '']) => ({ name, value }))
		const match = assignment.exec(text)
		if (match !== null) pairs.push({ name: match[1] ?? '', value: match[2] ?? '' })
		return pairs
			.filter(({ name, value }) => isSecretName(name) && looksLikeSecretValue(value))
			.map(({ name }) => ({ line: index + 1, what: `a value for ${name}` }))
	})
}

/** @param {unknown} node @returns {string | undefined} */
function nameOf(node) {
	if (!isNode(node)) return undefined
	if (node.type === 'MemberExpression') return nameOf(node.property)
	if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : undefined
	return typeof node.name === 'string' ? node.name : undefined
}

/** A string, or a template without holes. @param {unknown} node @returns {{ value: string, start: number } | undefined} */
function literalOf(node) {
	if (!isNode(node) || typeof node.start !== 'number') return undefined
	if (node.type === 'TSAsExpression' || node.type === 'TSSatisfiesExpression') return literalOf(node.expression)
	if (node.type === 'LogicalExpression') return literalOf(node.right)
	if (node.type === 'Literal' && typeof node.value === 'string') return { value: node.value, start: node.start }
	if (node.type !== 'TemplateLiteral' || !Array.isArray(node.quasis) || node.quasis.length !== 1) return undefined
	return { value: String(node.quasis[0].value.cooked), start: node.start }
}

/** @param {unknown} value @returns {value is Record<string, unknown> & { type: string }} */
function isNode(value) {
	return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

/** The check over this checkout. @returns {{ filesRead: number, problems: readonly string[] }} */
export function checkTreeSecrets() {
	const files = listFiles().filter(
		(path) => (CODE.test(path) || CONFIG.test(path) || TEXT.test(path)) && path !== 'package-lock.json',
	)
	const problems = files.flatMap((path) => secretsIn(path, readText(path)))
	if (files.length === 0) problems.push('no file was read: the check is broken')
	return { filesRead: files.length, problems }
}
