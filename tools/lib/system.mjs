/** The programs that the end-to-end tests drive, and their Debian packages. */
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './run.mjs'

/** @typedef {{ readonly name: string, readonly debian: string, readonly found: () => boolean }} Program */

/** @type {readonly Program[]} */
const PROGRAMS = [
	{ name: 'chromium', debian: 'chromium', found: () => onPath('chromium') },
	{ name: 'sshd', debian: 'openssh-server', found: () => onPath('sshd') },
	{ name: 'ssh', debian: 'openssh-client', found: () => onPath('ssh') && onPath('sftp') && onPath('ssh-keygen') },
	{ name: 'postgres', debian: 'postgresql', found: () => onPath('postgres') || debianPostgres() },
	{ name: 'rsync', debian: 'rsync', found: () => onPath('rsync') },
	{ name: 'git', debian: 'git', found: () => onPath('git') },
	{ name: 'nginx', debian: 'nginx-light', found: () => onPath('nginx') },
	{ name: 'openssl', debian: 'openssl', found: () => onPath('openssl') },
	{ name: 'systemd-analyze', debian: 'systemd', found: () => onPath('systemd-analyze') },
	{ name: 'ip', debian: 'iproute2', found: () => onPath('ip') },
]

/**
 * Installs what is missing, where that can be done without a question.
 *
 * @param {(line: string) => void} say
 * @returns {Promise<boolean>} whether all is there now
 */
export async function ensurePrograms(say) {
	const missing = PROGRAMS.filter((program) => !program.found())
	if (missing.length === 0) return true
	const packages = missing.map((program) => program.debian)
	const root = await rootPrefix()
	if (root === undefined || !onPath('apt-get')) {
		say(`the tests need ${missing.map((program) => program.name).join(', ')}: install ${packages.join(' ')} and run again`)
		return false
	}
	say(`installing ${packages.join(' ')} (apt-get)`)
	const apt = [...root, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq']
	await runList([...apt, 'update'])
	const install = await runList([...apt, 'install', '-y', '--no-install-recommends', ...packages])
	if (install.status === 0 && missing.every((program) => program.found())) return true
	say(install.output.trim())
	say(`could not install ${packages.join(' ')}: install them by hand and run again`)
	return false
}

/** @param {readonly string[]} list */
function runList([command = '', ...args]) {
	return run(command, args, { capture: true })
}

/** What to put before a command to run it as root without a question; undefined when that can't be. */
async function rootPrefix() {
	if (process.getuid?.() === 0) return []
	const sudo = await run('sudo', ['-n', 'true'], { capture: true })
	return sudo.status === 0 ? ['sudo', '-n'] : undefined
}

/** @param {string} program */
function onPath(program) {
	const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
	return folders.some((folder) => folder !== '' && isExecutable(join(folder, program)))
}

/** @param {string} path */
function isExecutable(path) {
	try {
		accessSync(path, constants.X_OK)
		return true
	} catch {
		// Not there, or not ours to run: the same to us.
		return false
	}
}

/** Debian keeps the server's programs outside PATH. */
function debianPostgres() {
	const base = '/usr/lib/postgresql'
	return existsSync(base) && readdirSync(base).some((version) => isExecutable(join(base, version, 'bin/postgres')))
}
