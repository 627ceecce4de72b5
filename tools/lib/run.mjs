import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The root of the checkout, without a slash at the end. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '')

/**
 * @typedef {object} RunResult
 * @property {number} status exit status; 128 + n stands for death by signal n, 127 for a program that is not there
 * @property {string} output stdout and stderr as they came, when `capture` was asked for
 * @property {string} stdout stdout alone, when `capture` was asked for
 */

/**
 * Runs a program of this checkout to its end. It never asks questions: stdin is closed.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ capture?: boolean, cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<RunResult>}
 */
export function run(command, args, options = {}) {
	return new Promise((resolve) => {
		const child = spawn(command, args, {
			cwd: options.cwd ?? ROOT,
			env: { ...process.env, ...options.env },
			stdio: ['ignore', options.capture ? 'pipe' : 'inherit', options.capture ? 'pipe' : 'inherit'],
		})
		let output = ''
		let stdout = ''
		child.stdout?.setEncoding('utf8').on('data', (text) => {
			output += text
			stdout += text
		})
		child.stderr?.setEncoding('utf8').on('data', (text) => {
			output += text
		})
		child.on('error', (error) => resolve({ status: 127, output: `${output}${error.message}\n`, stdout }))
		child.on('close', (code, signal) => resolve({ status: code ?? (signal === 'SIGINT' ? 130 : 143), output, stdout }))
	})
}

/**
 * Runs a program that a package of `node_modules` brings, by the Node that runs this.
 *
 * @param {string} script path below the root
 * @param {readonly string[]} args
 * @param {{ capture?: boolean, cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
export function runNode(script, args, options) {
	return run(process.execPath, [`${ROOT}/${script}`, ...args], options)
}
