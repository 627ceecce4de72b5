/**
 * Keeps `package-lock.json` whole for every platform: each optional dependency that a locked package names has its own
 * entry. npm leaves out those that its registry doesn't have at the moment, and `npm ci` then refuses the lock file.
 *
 * `node tools/lock.mjs` tells what is missing, `node tools/lock.mjs --fix` adds it.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT } from './lib/run.mjs'
import { readText } from './lib/tree.mjs'

/**
 * @typedef {object} LockEntry
 * @property {string} [version]
 * @property {boolean} [dev]
 * @property {boolean} [link]
 * @property {boolean} [optional]
 * @property {readonly string[]} [os]
 * @property {readonly string[]} [cpu]
 * @property {readonly string[]} [libc]
 * @property {Readonly<Record<string, string>>} [optionalDependencies]
 */
/** @typedef {Readonly<Record<string, LockEntry>>} LockPackages */
/** @typedef {{ readonly path: string, readonly by: string, readonly entry: LockEntry }} Missing */

const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32', 'aix']
const PROCESSORS = ['arm64', 'arm', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el', 'wasm32']

/**
 * Optional dependencies of an exact version that have no entry, with the entry that they should have.
 *
 * @param {LockPackages} packages
 * @returns {readonly Missing[]}
 */
export function missingOptional(packages) {
	return Object.entries(packages).flatMap(([by, parent]) =>
		Object.entries(parent.optionalDependencies ?? {})
			.filter(([name, range]) => /^\d+\.\d+\.\d+/.test(range) && !isFound(packages, by, name))
			.map(([name, version]) => ({ path: `node_modules/${name}`, by, entry: entryFor(name, version, parent) })),
	)
}

/**
 * Looks where Node would: below the package, then below each folder above it.
 *
 * @param {LockPackages} packages
 * @param {string} by
 * @param {string} name
 */
function isFound(packages, by, name) {
	const parts = by === '' ? [] : by.split('/node_modules/')
	const places = parts.map((_part, index) => `${parts.slice(0, index + 1).join('/node_modules/')}/node_modules/${name}`)
	return [...places, `node_modules/${name}`].some((place) => packages[place] !== undefined)
}

/**
 * The platform stands in the name, as `linux-arm64-musl`.
 *
 * @param {string} name
 * @param {string} version
 * @param {LockEntry} parent
 * @returns {LockEntry}
 */
function entryFor(name, version, parent) {
	const words = name.split(/[/-]/)
	const system = SYSTEMS.find((candidate) => words.includes(candidate))
	const processor = PROCESSORS.find((candidate) => words.includes(candidate))
	const hasMusl = words.some((word) => word.startsWith('musl'))
	const hasGlibc = words.some((word) => word.startsWith('gnu'))
	return {
		version,
		...(processor === undefined ? {} : { cpu: [processor] }),
		...(parent.dev === true ? { dev: true } : {}),
		...(hasMusl ? { libc: ['musl'] } : hasGlibc ? { libc: ['glibc'] } : {}),
		optional: true,
		...(system === undefined ? {} : { os: [system] }),
	}
}

/** The check over this checkout. @returns {{ entries: number, problems: readonly string[] }} */
export function checkLock() {
	/** @type {LockPackages} */
	const packages = JSON.parse(readText('package-lock.json')).packages
	const missing = missingOptional(packages)
	return {
		entries: Object.keys(packages).length,
		problems: missing.map(
			({ path, by, entry }) => `${path} ${entry.version}, named by ${by}, has no entry: node tools/lock.mjs --fix`,
		),
	}
}

function fixLock() {
	const text = readText('package-lock.json')
	const lock = JSON.parse(text)
	for (const { path, entry } of missingOptional(lock.packages)) lock.packages[path] = entry
	lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([left], [right]) => left.localeCompare(right, 'en')))
	writeFileSync(join(ROOT, 'package-lock.json'), `${JSON.stringify(lock, undefined, '\t')}\n`)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
	if (process.argv.includes('--fix')) fixLock()
	const { entries, problems } = checkLock()
	console.log([...problems, `${entries} entries, ${problems.length} missing`].join('\n'))
	process.exitCode = problems.length === 0 ? 0 : 1
}
