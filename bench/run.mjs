/**
 * `npm run bench [-- NAME…] [--json] [--quick] [--logs]`: how fast Sallyport is on this machine, beside a direct OpenSSH session measured
 * in the same run. Names: echo, page, bulk, chain, open, memory, flood; without any, all. Writes standard output alone.
 */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, stop } from 'esbuild'
import { ROOT, runNode } from '../tools/lib/run.mjs'

/** Beside the packages, so that what stays unbundled is found. */
const OUT = 'node_modules/.cache/sallyport/bench'
const EXTERNAL = [
	'libsql',
	'pg-native',
	'@lydell/node-pty',
	'ssh2',
	'cpu-features',
	'bufferutil',
	'utf-8-validate',
	'playwright-core',
]

const folder = join(ROOT, OUT)
// The page's part is one script; the others are programs.
/** @satisfies {import('esbuild').BuildOptions} */
const common = {
	absWorkingDir: ROOT,
	outdir: folder,
	bundle: true,
	conditions: ['@sallyport/source'],
	logLevel: /** @type {const} */ ('warning'),
}
await build({
	...common,
	entryPoints: ['main', 'parts/client', 'parts/light-nodes', 'parts/chain'].map((name) => `bench/${name}.ts`),
	outbase: 'bench',
	format: 'esm',
	platform: 'node',
	target: 'node20',
	external: EXTERNAL,
	banner: {
		js: "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);",
	},
})
await build({
	...common,
	entryPoints: ['bench/parts/page.ts'],
	outbase: 'bench',
	format: 'iife',
	platform: 'browser',
	target: 'es2023',
})
await stop()
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'package.json'), '{"type":"module"}\n')
// A copy: the run keeps to one build, whatever is built meanwhile.
const sally = join(folder, 'sally')
rmSync(sally, { recursive: true, force: true })
cpSync(join(ROOT, 'packages/cli/dist/sally.js'), join(sally, 'sally.js'))
cpSync(join(ROOT, 'packages/cli/dist/chunks'), join(sally, 'chunks'), { recursive: true })
cpSync(join(ROOT, 'packages/web/dist'), join(sally, 'page'), { recursive: true })
process.exitCode = (await runNode(`${OUT}/main.js`, process.argv.slice(2))).status
