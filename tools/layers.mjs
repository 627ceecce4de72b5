/**
 * The layer check: each package imports only what `lib/layer-table.mjs` allows it, pure packages use nothing of a host,
 * and nothing inside a package goes through its own `index.ts`.
 *
 * A check that reads nothing passes: so the number of modules read is returned and must equal the number of sources.
 */
import { builtinModules } from 'node:module'
import { posix } from 'node:path'
import { importsOf } from './lib/imports.mjs'
import { LAYERS, REASONS, TEST_ONLY, TEST_TOOLS } from './lib/layer-table.mjs'
import { listFiles, readText } from './lib/tree.mjs'

/** @typedef {import('./lib/layer-table.mjs').Layer} Layer */
/** @typedef {import('./lib/imports.mjs').Import} Import */
/** @typedef {{ readonly modulesRead: number, readonly problems: readonly string[] }} LayerReport */

const SOURCE = /^packages\/([^/]+)\/(src|test)\/.+\.(ts|tsx|mts|js|mjs)$/
const TEST = /(\.(test|bench|fixture)\.tsx?$|^packages\/[^/]+\/test\/)/
const BUILTINS = new Set(builtinModules)

/**
 * @param {{ readonly files: readonly string[], readonly read: (path: string) => string }} tree
 * @returns {LayerReport}
 */
export function checkLayers(tree) {
	/** @type {string[]} */
	const problems = []
	let modulesRead = 0
	for (const path of tree.files) {
		const name = SOURCE.exec(path)?.[1]
		if (name === undefined) continue
		modulesRead++
		const layer = LAYERS.find((candidate) => candidate.name === name)
		if (layer === undefined) {
			problems.push(`${path}: package ${name} has no row in tools/lib/layer-table.mjs`)
			continue
		}
		const declared = declaredBy(tree, name)
		for (const found of importsOf(path, tree.read(path))) {
			const reason = judge({ path, layer, declared }, found.specifier)
			if (reason !== undefined) problems.push(`${path}:${found.line}: imports ${found.specifier}: ${reason}`)
		}
	}
	return { modulesRead, problems }
}

/** @typedef {{ readonly path: string, readonly layer: Layer, readonly declared: ReadonlySet<string> }} Importer */

/**
 * @param {Importer} importer
 * @param {string} specifier
 * @returns {string | undefined} why it may not
 */
function judge(importer, specifier) {
	if (specifier.startsWith('.')) return judgeRelative(importer, specifier)
	const own = /^@sallyport\/([^/]+)/.exec(specifier)?.[1]
	if (own !== undefined) return judgeArrow(importer, own, specifier)
	if (specifier.startsWith('node:') || BUILTINS.has(specifier)) return judgeBuiltin(importer, specifier)
	return judgeExternal(importer, packageName(specifier))
}

/**
 * @param {Importer} importer
 * @param {string} specifier
 */
function judgeRelative({ path, layer }, specifier) {
	const target = posix.join(posix.dirname(path), specifier)
	const root = `packages/${layer.name}/`
	// Tests are not shipped: they may use vectors, shared support, and the inside of a package that they play against.
	if (TEST.test(path)) return undefined
	if (!target.startsWith(root)) return 'a relative path leaves the package: import it by name'
	const index = /\/src\/(?:(?:node|browser)\/)?index\.tsx?$/
	const isEntry = index.test(path)
	if (index.test(target) && !isEntry) return 'index.ts is for users of the package: import the module itself'
	return undefined
}

/**
 * @param {Importer} importer
 * @param {string} target
 * @param {string} specifier
 */
function judgeArrow({ path, layer }, target, specifier) {
	if (target === layer.name) return 'a package does not import itself by name'
	const host = /^@sallyport\/[^/]+\/(node|browser)$/.exec(specifier)?.[1]
	if (host !== undefined && !hostsOf(path, layer).includes(host)) return `${layer.name} does not run in ${host} here`
	if (layer.arrows.some((arrow) => arrow.to === target)) return undefined
	if (TEST.test(path) && (TEST_ONLY.includes(target) || LAYERS.some((known) => known.name === target))) return undefined
	if (layer.name === 'testkit' || layer.name === 'conformance') return undefined
	const arrow = `${layer.name} -> ${target}`
	const reason = Object.entries(REASONS).find(([known]) => known === arrow)?.[1]
	return reason ?? `the layers have no arrow ${arrow}; see ARCHITECTURE.md`
}

/**
 * @param {Importer} importer
 * @param {string} specifier
 */
function judgeBuiltin({ path, layer }, specifier) {
	if (TEST.test(path) || hostsOf(path, layer).includes('node')) return undefined
	if (layer.host === 'none') return `${layer.name} is pure: no modules of Node (${specifier})`
	return 'modules of Node belong into node/, so that the rest runs in browsers too'
}

/**
 * @param {Importer} importer
 * @param {string} name
 */
function judgeExternal({ path, layer, declared }, name) {
	if (TEST.test(path)) return undefined
	if (TEST_ONLY.includes(layer.name) && TEST_TOOLS.includes(name)) return undefined
	if (layer.external === 'declared') {
		return declared.has(name) ? undefined : `${name} is not among the dependencies in packages/${layer.name}/package.json`
	}
	return layer.external.includes(name) ? undefined : `${layer.name} is pure and uses no package but ${layer.external.join(', ')}`
}

/**
 * Where a module runs: by its package, and in packages for both by its folder.
 *
 * @param {string} path
 * @param {Layer} layer
 * @returns {readonly string[]}
 */
function hostsOf(path, layer) {
	if (TEST.test(path)) return ['node', 'browser']
	if (layer.host !== 'both') return [layer.host]
	return ['node', 'browser'].filter((host) => path.startsWith(`packages/${layer.name}/src/${host}/`))
}

/**
 * @param {{ readonly read: (path: string) => string }} tree
 * @param {string} name
 */
function declaredBy(tree, name) {
	const manifest = JSON.parse(tree.read(`packages/${name}/package.json`))
	return new Set(Object.keys({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies }))
}

/** @param {string} specifier */
function packageName(specifier) {
	const parts = specifier.split('/')
	return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}

/** The check over this checkout. @returns {LayerReport} */
export function checkTreeLayers() {
	const files = listFiles('packages')
	const report = checkLayers({ files, read: readText })
	const expected = files.filter((path) => SOURCE.test(path)).length
	if (report.modulesRead === expected && expected > 0) return report
	return { ...report, problems: [...report.problems, `read ${report.modulesRead} of ${expected} modules: the check is broken`] }
}
