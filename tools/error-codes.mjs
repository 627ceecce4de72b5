/** Compares the codes in `packages/protocol` with `docs/errors.md`, both ways. */
import { readText } from './lib/tree.mjs'

/**
 * @typedef {object} CodeList
 * @property {string} heading section of `docs/errors.md`
 * @property {string} source module that exports the list
 * @property {string} exported its name there
 */

/** @type {readonly CodeList[]} */
const LISTS = [
	{ heading: 'Close codes', source: 'packages/protocol/src/codes.ts', exported: 'CLOSE' },
	{ heading: 'Stream reset codes', source: 'packages/protocol/src/codes.ts', exported: 'RESET_CODES' },
	{ heading: 'Link end codes', source: 'packages/protocol/src/codes.ts', exported: 'LINK_END_CODES' },
	{ heading: 'Parse faults', source: 'packages/protocol/src/result.ts', exported: 'FAULT_CODES' },
	{ heading: 'HTTP errors', source: 'packages/protocol/src/http-api.ts', exported: 'API_ERROR_CODES' },
]

/**
 * The rows of the first table below a heading, as cells without white space around and backticks.
 *
 * @param {string} markdown
 * @param {string} heading
 * @returns {readonly (readonly string[])[]}
 */
export function tableBelow(markdown, heading) {
	const section = markdown.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
	const lines = section.split('\n').filter((line) => line.startsWith('|'))
	return lines.slice(2).map((line) =>
		line
			.split('|')
			.slice(1, -1)
			.map((cell) => cell.trim().replaceAll('`', '')),
	)
}

/**
 * @param {readonly string[]} documented
 * @param {readonly string[]} existing
 * @param {string} heading
 * @returns {readonly string[]}
 */
export function compareCodes(documented, existing, heading) {
	const twice = documented.filter((code, index) => documented.indexOf(code) !== index)
	return [
		...existing.filter((code) => !documented.includes(code)).map((code) => `${heading}: ${code} is missing in docs/errors.md`),
		...documented.filter((code) => !existing.includes(code)).map((code) => `${heading}: ${code} is no code any more`),
		...twice.map((code) => `${heading}: ${code} stands there twice`),
	]
}

/**
 * What both lists say of a close, as one text to compare.
 *
 * @param {{ code: number, name: string, retry: boolean }} close
 */
function closeText(close) {
	return `${close.code} ${close.name} (retry: ${close.retry ? 'yes' : 'no'})`
}

/** The check over this checkout. @returns {Promise<{ count: number, problems: readonly string[] }>} */
export async function checkErrorCodes() {
	const markdown = readText('docs/errors.md')
	/** @type {string[]} */
	const problems = []
	let count = 0
	for (const list of LISTS) {
		const exported = (await loadModule(list.source))[list.exported]
		const rows = tableBelow(markdown, list.heading)
		const isClose = list.exported === 'CLOSE'
		const existing = isClose ? Object.values(exported).map(closeText) : [...exported]
		const documented = rows.map((row) => (isClose ? `${row[0]} ${row[1]} (retry: ${row[2]})` : (row[0] ?? '')))
		problems.push(...compareCodes(documented, existing, list.heading))
		count += existing.length
	}
	if (count === 0) problems.push('no code was read: the check is broken')
	return { count, problems }
}

/**
 * Loads a module of constants from source; its imports are types alone, which the transformation drops.
 *
 * @param {string} path
 */
async function loadModule(path) {
	const { transform } = await import('esbuild')
	const { code } = await transform(readText(path), { loader: 'ts', format: 'esm' })
	return import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`)
}
