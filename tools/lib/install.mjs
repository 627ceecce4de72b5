/** Brings `node_modules` in line with the lock file, when it isn't. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, run } from './run.mjs'

/** @typedef {{ version?: string, optional?: boolean, devOptional?: boolean, link?: boolean, peer?: boolean }} LockEntry */
/** @typedef {Record<string, LockEntry>} LockPackages */

/**
 * What the lock file names and the installed tree has not, or has in another version. Optional packages that are missing
 * are for other platforms.
 *
 * @param {LockPackages} wanted
 * @param {LockPackages} installed
 * @returns {string[]}
 */
export function missingPackages(wanted, installed) {
	return Object.entries(wanted)
		.filter(([path]) => path.includes('node_modules/'))
		.filter(([path, entry]) => {
			const found = installed[path]
			if (found === undefined) return entry.optional !== true && entry.devOptional !== true
			return found.version !== entry.version || found.link !== entry.link
		})
		.map(([path]) => path)
}

/** @param {string} [root] */
export function installIsStale(root = ROOT) {
	const installedPath = join(root, 'node_modules/.package-lock.json')
	if (!existsSync(installedPath)) return true
	return missingPackages(readPackages(join(root, 'package-lock.json')), readPackages(installedPath)).length > 0
}

/**
 * Runs `npm ci` when something is missing.
 *
 * @param {(line: string) => void} say
 * @returns {Promise<boolean>} whether all is there now
 */
export async function ensureInstalled(say) {
	if (!installIsStale()) return true
	say('installing packages (npm ci)')
	const npm = await run('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], { capture: true, env: { CI: 'true' } })
	if (npm.status === 0) return true
	say(npm.output.trim())
	say('npm ci failed: see above; check the network and that this folder is writable, then run the same command again')
	return false
}

/**
 * @param {string} path
 * @returns {LockPackages}
 */
function readPackages(path) {
	return JSON.parse(readFileSync(path, 'utf8')).packages
}
