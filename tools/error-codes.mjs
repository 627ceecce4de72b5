/** Compares the codes of every package with `docs/errors.md`, both ways. */
import { join } from 'node:path'
import { ROOT } from './lib/run.mjs'
import { readText } from './lib/tree.mjs'

/**
 * @typedef {readonly [source: string, exported: string]} Exported module that exports a list, and its name there
 */

/**
 * @typedef {object} CodeList
 * @property {string} heading section of `docs/errors.md`
 * @property {readonly Exported[]} lists all codes of the section's first table
 * @property {readonly Exported[]} [without] lists that are part of them and have sections of their own
 */

const CODES = 'packages/protocol/src/codes.ts'
/** @type {Exported} */
const RESETS = [CODES, 'RESET_CODES']
/** @type {Exported} */
const API_ERRORS = ['packages/protocol/src/http-api.ts', 'API_ERROR_CODES']

/** @type {readonly CodeList[]} */
const LISTS = [
	{ heading: 'Close codes', lists: [[CODES, 'CLOSE']] },
	{ heading: 'Stream reset codes', lists: [RESETS] },
	{ heading: 'Link end codes', lists: [[CODES, 'LINK_END_CODES']] },
	{ heading: 'Parse faults', lists: [['packages/protocol/src/result.ts', 'FAULT_CODES']] },
	{ heading: 'HTTP errors', lists: [API_ERRORS] },
	{ heading: 'Dial errors', lists: [['packages/transport/src/errors.ts', 'TRANSPORT_ERROR_CODES']] },
	{
		heading: 'Why a relay does not start',
		lists: [
			['packages/relay/src/errors.ts', 'RELAY_ERROR_CODES'],
			['packages/relay/src/store/errors.ts', 'STORE_ERROR_CODES'],
		],
	},
	{ heading: 'Agent errors', lists: [['packages/agent/src/errors.ts', 'AGENT_ERROR_CODES']] },
	{ heading: 'Private files', lists: [['packages/carrier/src/node/secure-files.ts', 'SECURE_FILE_ERROR_CODES']] },
	{ heading: 'Client errors', lists: [['packages/client/src/errors.ts', 'CLIENT_ERROR_CODES']], without: [API_ERRORS] },
	{ heading: 'Link errors', lists: [['packages/carrier/src/errors.ts', 'LINK_ERROR_CODES']], without: [RESETS] },
	{ heading: 'Handshake faults', lists: [['packages/link/src/handshake/handshake-fault.ts', 'HANDSHAKE_FAULT_CODES']] },
	{
		heading: 'Channel faults',
		lists: [
			['packages/carrier/src/secure-channel/handshake-inbox.ts', 'CHANNEL_OPEN_FAULT_CODES'],
			['packages/carrier/src/secure-channel/channel-end.ts', 'CHANNEL_FAULT_CODES'],
		],
	},
	{ heading: 'Multiplexer faults', lists: [['packages/link/src/mux/fault.ts', 'MUX_FAULT_CODES']] },
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
	for (const { heading, lists, without = [] } of LISTS) {
		const rows = tableBelow(markdown, heading)
		const isClose = heading === 'Close codes'
		const elsewhere = (await Promise.all(without.map(loadList))).flat()
		const existing = (await Promise.all(lists.map(loadList))).flat().filter((code) => !elsewhere.includes(code))
		const documented = rows.map((row) => (isClose ? `${row[0]} ${row[1]} (retry: ${row[2]})` : (row[0] ?? '')))
		problems.push(...compareCodes(documented, existing, heading))
		count += existing.length
	}
	if (count === 0) problems.push('no code was read: the check is broken')
	return { count, problems }
}

/**
 * @param {Exported} exported
 * @returns {Promise<string[]>}
 */
async function loadList([source, name]) {
	const list = (await loadModule(source))[name]
	return name === 'CLOSE' ? Object.values(list).map(closeText) : [...list]
}

/**
 * Loads a module from source, with the modules that it takes values from.
 *
 * @param {string} path
 */
async function loadModule(path) {
	const { build } = await import('esbuild')
	const { outputFiles } = await build({
		entryPoints: [join(ROOT, path)],
		bundle: true,
		write: false,
		format: 'esm',
		platform: 'node',
		conditions: ['@sallyport/source'],
		logLevel: 'silent',
	})
	const code = outputFiles[0]?.text ?? ''
	return import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`)
}
