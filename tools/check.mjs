/**
 * `npm run check`: everything that can be said of the code without running it. One line for each step; what a step found
 * follows it. All steps run, so that one run shows all there is to do. `npm run check -- layers secrets` runs those two.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { checkErrorCodes } from './error-codes.mjs'
import { checkTreeLayers } from './layers.mjs'
import { ROOT, runNode } from './lib/run.mjs'
import { checkLock } from './lock.mjs'
import { checkTreeSecrets } from './secrets.mjs'
import { checkTreeSizes } from './sizes.mjs'

/** @typedef {{ readonly ok: boolean, readonly detail: string, readonly output?: string }} Outcome */
/** @typedef {{ readonly name: string, readonly about: string, readonly check: () => Promise<Outcome> }} Step */

/** @type {readonly Step[]} */
const STEPS = [
	{
		name: 'format',
		about: 'biome',
		check: () => tool('node_modules/@biomejs/biome/bin/biome', ['check', '--colors=off', '--reporter=concise', '.']),
	},
	// Before lint: files that no package's tsconfig holds, tests among them, find other packages by what this step writes.
	{ name: 'types', about: 'tsc -b', check: () => tool('node_modules/typescript/bin/tsc', ['-b', '--pretty', 'false']) },
	{
		name: 'lint',
		about: 'oxlint, type-aware',
		check: () => tool('node_modules/oxlint/bin/oxlint', ['--type-aware', '--deny-warnings', '--format=unix']),
	},
	{
		name: 'test types',
		about: 'tsc over tests, bench, tools',
		check: () => tool('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.test.json', '--pretty', 'false']),
	},
	{ name: 'layers', about: 'who imports whom', check: async () => problemsOf(checkTreeLayers(), 'modulesRead', 'modules') },
	{ name: 'sizes', about: 'length of functions', check: async () => problemsOf(checkTreeSizes(), 'functions', 'functions') },
	{
		name: 'unused',
		about: 'knip',
		check: () => tool('node_modules/knip/bin/knip.js', ['--no-progress', '--no-config-hints']),
	},
	{
		name: 'errors',
		about: 'codes against docs/errors.md',
		check: async () => problemsOf(await checkErrorCodes(), 'count', 'codes'),
	},
	{ name: 'lock', about: 'package-lock.json is whole', check: async () => problemsOf(checkLock(), 'entries', 'entries') },
	{ name: 'secrets', about: 'no static secret', check: async () => problemsOf(checkTreeSecrets(), 'filesRead', 'files') },
]

/**
 * @param {string} script
 * @param {readonly string[]} args
 * @returns {Promise<Outcome>}
 */
async function tool(script, args) {
	if (!existsSync(join(ROOT, script))) return { ok: false, detail: `${script} is missing: run npm ci` }
	const { status, output } = await runNode(script, args, { capture: true, env: { NO_COLOR: '1' } })
	return { ok: status === 0, detail: status === 0 ? '' : `status ${status}`, output }
}

/**
 * @template {string} Key
 * @param {{ readonly problems: readonly string[] } & Record<Key, number>} report
 * @param {Key} key
 * @param {string} unit
 * @returns {Outcome}
 */
function problemsOf(report, key, unit) {
	const found = report.problems.length
	const detail = `${report[key]} ${unit}${found === 0 ? '' : `, ${found} ${found === 1 ? 'problem' : 'problems'}`}`
	return { ok: found === 0, detail, output: report.problems.join('\n') }
}

/** @param {Step} step */
async function runStep(step) {
	const startedMs = performance.now()
	const outcome = await step.check()
	const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
	const detail = outcome.detail === '' ? '' : `: ${outcome.detail}`
	console.log(`${outcome.ok ? 'ok    ' : 'FAILED'} ${step.name} (${step.about}) ${seconds} s${detail}`)
	if (!outcome.ok && outcome.output !== undefined) console.log(outcome.output.trimEnd())
	return outcome.ok
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !STEPS.some((step) => step.name === name))
let failed = unknown.length
for (const name of unknown)
	console.log(`FAILED ${name}: there is no such check; there are ${STEPS.map((step) => step.name).join(', ')}`)
for (const step of STEPS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
	if (!(await runStep(step))) failed++
}
console.log(failed === 0 ? 'check: clean' : `check: ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
