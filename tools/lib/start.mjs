import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { ensureInstalled } from './install.mjs'
import { ROOT } from './run.mjs'

const PASSED_ON = /** @type {const} */ (['SIGTERM', 'SIGHUP'])

const PARENT_POLL_MS = 500

/** @param {readonly string[]} args for `sally up` */
export async function start(args) {
	const isReady = canWrite() && (await ensureInstalled(say)) && (await buildAll())
	if (!isReady) {
		process.exitCode = 1
		return
	}
	process.exitCode = await runUp(args)
}

function canWrite() {
	try {
		accessSync(ROOT, constants.W_OK)
		return true
	} catch {
		say(`this folder can't be written (${ROOT}): npm start installs and builds in it; clone to a folder of your own`)
		return false
	}
}

/** The builder loads packages that the installation has only just brought. */
async function buildAll() {
	const { build } = await import('../build.mjs')
	if (await build({ run: true }, say)) return true
	say('the build failed: see above')
	return false
}

/**
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
function runUp(args) {
	return new Promise((resolve) => {
		const child = spawn(process.execPath, [`${ROOT}/packages/cli/dist/sally.js`, 'up', ...args], { stdio: 'inherit' })
		// On a terminal Ctrl+C reaches the child by itself, and a second one would mean "at once"; this one waits for it to end.
		process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
		for (const signal of PASSED_ON) process.on(signal, () => child.kill(signal))
		endWithNpm(() => child.kill('SIGTERM'))
		child.on('error', (error) => {
			say(`could not start: ${error.message}`)
			resolve(1)
		})
		child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)))
	})
}

/**
 * npm runs this below a shell, which passes no signal on: when npm is told to end, all that is left to see is that the
 * parent is gone.
 *
 * @param {() => void} end
 */
function endWithNpm(end) {
	if (process.env.npm_lifecycle_event === undefined) return
	const parent = process.ppid
	const timer = setInterval(() => {
		if (process.ppid === parent) return
		clearInterval(timer)
		end()
	}, PARENT_POLL_MS)
	timer.unref()
}

/** @param {string} line */
function say(line) {
	console.error(line)
}
