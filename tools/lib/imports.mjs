/** Reads the imports of a module with a real parser. */
import { parseSync, Visitor } from 'oxc-parser'

/**
 * @typedef {object} Import
 * @property {string} specifier
 * @property {number} line
 */

/**
 * Every module that a source names: `import`, `export … from`, `import()` of a literal, and types by `import('…')`.
 *
 * @param {string} path decides the language by its ending
 * @param {string} source
 * @returns {readonly Import[]}
 */
export function importsOf(path, source) {
	const parsed = parseSync(path, source)
	const fatal = parsed.errors.find((error) => error.severity === 'Error')
	if (fatal !== undefined) throw new SyntaxError(`${path} does not parse: ${fatal.message}`)
	/** @type {Import[]} */
	const imports = []
	/** @param {{ type: string, value?: unknown, start: number }} node */
	const add = (node) => {
		if (typeof node.value === 'string') imports.push({ specifier: node.value, line: lineOf(source, node.start) })
	}
	new Visitor({
		ImportDeclaration: (node) => add(node.source),
		ExportAllDeclaration: (node) => add(node.source),
		ExportNamedDeclaration: (node) => node.source !== null && add(node.source),
		ImportExpression: (node) => 'value' in node.source && add(node.source),
		TSImportType: (node) => add(node.source),
	}).visit(parsed.program)
	return imports
}

/**
 * @param {string} source
 * @param {number} offset
 */
export function lineOf(source, offset) {
	return source.slice(0, offset).split('\n').length
}
