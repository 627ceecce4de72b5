/**
 * `npm test`: installs what is missing, builds, runs all tests, and ends with one line, `N passed, N failed`. It asks
 * nothing. `--long` runs the long tests instead (chaos, soak, memory); other arguments go to vitest.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ensureInstalled } from './lib/install.mjs'
import { ROOT, runNode } from './lib/run.mjs'
import { isSuccess, summarise, summaryLine } from './lib/summary.mjs'
import { ensurePrograms } from './lib/system.mjs'

/** @param {string} line */
const say = (line) => console.log(line)

const REPORT = 'node_modules/.cache/sallyport/tests.json'

/** @param {readonly string[]} args */
async function prepareAndRun(args) {
	if (!(await ensureInstalled(say)) || !(await ensurePrograms(say))) return summarise(undefined, 0)
	const { build } = await import('./build.mjs')
	if (!(await build({}, say))) {
		say('the build failed: no test was run')
		return summarise(undefined, 0)
	}
	const projects = args.includes('--long') ? ['long'] : ['unit', 'e2e']
	const rest = args.filter((arg) => arg !== '--long')
	return runVitest([...projects.flatMap((project) => ['--project', project]), ...rest])
}

/** @param {readonly string[]} args */
async function runVitest(args) {
	const report = join(ROOT, REPORT)
	mkdirSync(join(report, '..'), { recursive: true })
	rmSync(report, { force: true })
	const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
	const vitest = await runNode('node_modules/vitest/vitest.mjs', ['run', ...reporters, ...args], { env: { CI: 'true' } })
	return summarise(existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined, vitest.status)
}

const summary = await prepareAndRun(process.argv.slice(2))
for (const note of summary.notes) say(note)
say(summaryLine(summary))
process.exitCode = isSuccess(summary) ? 0 : 1
