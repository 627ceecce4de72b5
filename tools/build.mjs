/**
 * Builds what people run: types and modules (`tsc -b`), the page (vite) and the command (esbuild). Each step is skipped
 * when neither its sources nor its outputs changed since it last ran.
 *
 * `node tools/build.mjs [--run] [--force]`; `--run` leaves out the types, which nothing needs at run time.
 */
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT, runNode } from './lib/run.mjs'
import { fingerprint, readStamp, writeStamp } from './lib/stamp.mjs'
import { listFiles } from './lib/tree.mjs'

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {() => string[]} inputs
 * @property {() => string[]} outputs files that must be as this step left them
 * @property {() => Promise<boolean>} make
 */

/** Packages with native parts, or that load themselves by path: left where npm put them. */
const EXTERNAL = ['libsql', 'pg-native', '@lydell/node-pty', 'ssh2', 'cpu-features', 'bufferutil', 'utf-8-validate']

const CLI_OUTPUT = 'packages/cli/dist'

/** @type {readonly Step[]} */
const STEPS = [
	{ name: 'types', inputs: () => sourcesOf('packages'), outputs: () => [], make: buildTypes },
	{ name: 'page', inputs: () => sourcesOf('packages'), outputs: () => ['packages/web/dist/index.html'], make: buildPage },
	{ name: 'command', inputs: () => sourcesOf('packages'), outputs: () => [`${CLI_OUTPUT}/sally.js`], make: buildCommand },
]

/** A step whose source a checkout doesn't hold has nothing to make. */
const ENTRIES = { page: 'packages/web/vite.config.ts', command: 'packages/cli/src/sally.ts' }

/**
 * @param {{ run?: boolean, force?: boolean }} options
 * @param {(line: string) => void} say
 * @returns {Promise<boolean>}
 */
export async function build(options, say) {
	for (const step of STEPS) {
		if (options.run === true && step.name === 'types') continue
		const entry = Object.entries(ENTRIES).find(([name]) => name === step.name)?.[1]
		if (entry !== undefined && !existsSync(join(ROOT, entry))) continue
		const before = fingerprint(step.inputs())
		const isCurrent = readStamp(step.name) === before + fingerprint(step.outputs()) && outputsExist(step)
		if (isCurrent && options.force !== true) continue
		const startedMs = performance.now()
		if (!(await step.make())) return false
		writeStamp(step.name, before + fingerprint(step.outputs()))
		say(`built ${step.name} in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
	}
	return true
}

/** @param {Step} step */
function outputsExist(step) {
	return step.outputs().every((path) => existsSync(join(ROOT, path)))
}

/** @param {string} folder */
function sourcesOf(folder) {
	const isTest = /\.test\.tsx?$/
	const sources = listFiles(folder).filter((path) => !isTest.test(path))
	return [...sources, 'package-lock.json', 'tsconfig.base.json', 'tsconfig.json', 'tools/build.mjs']
}

async function buildTypes() {
	return (await runNode('node_modules/typescript/bin/tsc', ['-b'])).status === 0
}

async function buildPage() {
	const vite = await runNode('node_modules/vite/bin/vite.js', ['build', '--logLevel', 'warn'], {
		cwd: join(ROOT, 'packages/web'),
		env: { NODE_ENV: 'production' },
	})
	return vite.status === 0
}

async function buildCommand() {
	const { build: bundle, stop } = await import('esbuild')
	const outdir = join(ROOT, CLI_OUTPUT)
	rmSync(join(outdir, 'chunks'), { recursive: true, force: true })
	try {
		await bundle({
			absWorkingDir: ROOT,
			entryPoints: { sally: 'packages/cli/src/sally.ts' },
			outdir,
			bundle: true,
			splitting: true,
			chunkNames: 'chunks/[name]-[hash]',
			format: 'esm',
			platform: 'node',
			target: 'node20',
			conditions: ['@sallyport/source'],
			external: EXTERNAL,
			// CommonJS packages inside the bundle ask for Node's own modules by `require`.
			banner: {
				js: "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);",
			},
			define: { 'process.env.NODE_ENV': '"production"' },
			legalComments: 'none',
			sourcemap: 'linked',
			sourcesContent: false,
			logLevel: 'warning',
		})
	} catch {
		// esbuild has told each fault already.
		return false
	} finally {
		await stop()
	}
	chmodSync(join(outdir, 'sally.js'), 0o755)
	linkCommand()
	return true
}

/** `npx sally` works in the checkout as it does after an installation. */
function linkCommand() {
	const link = join(ROOT, 'node_modules/.bin/sally')
	mkdirSync(join(ROOT, 'node_modules/.bin'), { recursive: true })
	rmSync(link, { force: true })
	symlinkSync('../../packages/cli/dist/sally.js', link)
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
	const options = { run: process.argv.includes('--run'), force: process.argv.includes('--force') }
	process.exitCode = (await build(options, (line) => console.log(line))) ? 0 : 1
}
