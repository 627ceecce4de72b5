/**
 * How long functions may be. What counts is a function's own lines: those of functions inside it are measured by
 * themselves, so that a factory isn't long because it holds many short operations. A longer one says why, by
 * `long-function: <why>` in the comment or on the line before it.
 */
import { parseSync, Visitor } from 'oxc-parser'
import { lineOf } from './lib/imports.mjs'
import { listFiles, readText } from './lib/tree.mjs'

export const MAX_OWN_LINES = 60
export const MAX_LINES = 250
/** Markup is longer than logic. */
const MAX_OWN_LINES_OF_COMPONENT = 120

const MEASURED = /^(packages\/[^/]+\/src|tools)\/.+\.(ts|tsx|mjs)$/
const TEST = /(\.(test|bench|fixture)\.tsx?$|^packages\/(conformance|testkit)\/)/

/** @typedef {{ readonly name: string, readonly start: number, readonly end: number }} Span */

/**
 * @param {string} path
 * @param {string} source
 * @returns {{ functions: number, problems: readonly string[] }}
 */
export function longFunctions(path, source) {
	const spans = functionSpans(path, source)
	const lines = source.split('\n')
	const maxOwn = path.endsWith('.tsx') ? MAX_OWN_LINES_OF_COMPONENT : MAX_OWN_LINES
	const problems = spans.flatMap((span) => {
		const first = lineOf(source, span.start)
		const own = ownLines(span, spans, source)
		const all = lineOf(source, span.end) - first + 1
		const isExcused = lines.slice(Math.max(0, first - 3), first).some((line) => /long-function: \S/.test(line))
		if (isExcused || (own <= maxOwn && all <= MAX_LINES)) return []
		return [
			`${path}:${first}: ${span.name} has ${own} lines of its own (at most ${maxOwn}), ${all} in all (at most ${MAX_LINES})`,
		]
	})
	return { functions: spans.length, problems }
}

/**
 * @param {string} path
 * @param {string} source
 * @returns {readonly Span[]}
 */
function functionSpans(path, source) {
	/** @type {Span[]} */
	const spans = []
	/** @param {{ start: number, end: number, id?: { name: string } | null }} node */
	const add = (node) => spans.push({ name: node.id?.name ?? 'a function', start: node.start, end: node.end })
	new Visitor({ FunctionDeclaration: add, FunctionExpression: add, ArrowFunctionExpression: add }).visit(
		parseSync(path, source).program,
	)
	return spans
}

/**
 * Lines of a function that belong to none of the functions directly inside it; the line that opens an inner one counts.
 *
 * @param {Span} span
 * @param {readonly Span[]} spans
 * @param {string} source
 */
function ownLines(span, spans, source) {
	const inside = spans.filter((other) => other !== span && other.start >= span.start && other.end <= span.end)
	/** @type {Set<number>} */
	const taken = new Set()
	for (const inner of inside) {
		for (let line = lineOf(source, inner.start) + 1; line <= lineOf(source, inner.end); line++) taken.add(line)
	}
	return lineOf(source, span.end) - lineOf(source, span.start) + 1 - taken.size
}

/** The check over this checkout. @returns {{ functions: number, problems: readonly string[] }} */
export function checkTreeSizes() {
	const files = listFiles().filter((path) => MEASURED.test(path) && !TEST.test(path))
	const reports = files.map((path) => longFunctions(path, readText(path)))
	const functions = reports.reduce((sum, report) => sum + report.functions, 0)
	const problems = reports.flatMap((report) => report.problems)
	return { functions, problems: functions === 0 ? ['no function was read: the check is broken'] : problems }
}
