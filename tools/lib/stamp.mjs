/** Remembers what a build step was made from, so that it runs again only when something changed. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from './run.mjs'

const FOLDER = 'node_modules/.cache/sallyport'

/**
 * A digest of paths, sizes and times: cheap, and wrong only towards building once too often.
 *
 * @param {readonly string[]} paths below the root; a missing file counts as such
 * @param {string} [root]
 */
export function fingerprint(paths, root = ROOT) {
	const hash = createHash('sha256')
	for (const path of paths) {
		const stat = statSync(join(root, path), { throwIfNoEntry: false })
		hash.update(`${path}\0${stat === undefined ? 'missing' : `${stat.size}\0${stat.mtimeMs}`}\n`)
	}
	return hash.digest('hex')
}

/**
 * @param {string} step
 * @param {string} [root]
 * @returns {string | undefined}
 */
export function readStamp(step, root = ROOT) {
	try {
		return readFileSync(join(root, FOLDER, `${step}.stamp`), 'utf8')
	} catch {
		// No stamp, or none that can be read: the step is simply done again.
		return undefined
	}
}

/**
 * @param {string} step
 * @param {string} value
 * @param {string} [root]
 */
export function writeStamp(step, value, root = ROOT) {
	const path = join(root, FOLDER, `${step}.stamp`)
	mkdirSync(dirname(path), { recursive: true })
	writeFileSync(path, value)
}
