import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { ROOT } from './run.mjs'

const SKIPPED = new Set(['node_modules', 'dist', 'coverage', '.git', '.sallyport'])

/**
 * Every file below a folder, as paths from the root with forward slashes, sorted. What is installed or built is left out.
 *
 * @param {string} [folder] path below the root
 * @param {string} [root]
 * @returns {string[]}
 */
export function listFiles(folder = '.', root = ROOT) {
	/** @type {string[]} */
	const files = []
	/** @param {string} directory */
	const walk = (directory) => {
		for (const entry of entriesOf(directory)) {
			const path = join(directory, entry.name)
			if (entry.isDirectory() && !SKIPPED.has(entry.name)) walk(path)
			else if (entry.isFile()) files.push(relative(root, path).split(sep).join('/'))
		}
	}
	walk(join(root, folder))
	return files.sort()
}

/** @param {string} path path below the root */
export function readText(path, root = ROOT) {
	return readFileSync(join(root, path), 'utf8')
}

/** @param {string} directory */
function entriesOf(directory) {
	try {
		return readdirSync(directory, { withFileTypes: true })
	} catch (error) {
		// A folder that isn't there holds no files; anything else is told.
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
		throw error
	}
}
