/** Runs a target over its corpus and over mutations of it, and judges what it answers. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createSeededRandom } from '@sallyport/testkit'
import { mutate } from './mutate.ts'
import type { Target } from './targets.ts'

const CORPUS = fileURLToPath(new URL('corpus/', import.meta.url))
/** Far above what any parser needs for 8 KiB, far below what a person would call stuck. */
const SLOW_MS = 1_000
const DETAIL_CHARS = 1_024
/** Files of the machine's own owner; their problems go through the command line, which shows control characters escaped. */
const OWN_FILES: ReadonlySet<string> = new Set(['agent-settings', 'relay-settings', 'policy'])

/** What was found, and how to see it again. */
export class FuzzFailure extends Error {
	override readonly name = 'FuzzFailure'
}

export function corpusOf(name: string): readonly Uint8Array[] {
	const folder = `${CORPUS}${name}/`
	return readdirSync(folder)
		.sort()
		.map((file) => Uint8Array.from(readFileSync(folder + file)))
}

/**
 * @throws {FuzzFailure} with the input in base64, to be put into the corpus
 */
export function fuzzTarget(name: string, target: Target, options: { readonly runs: number; readonly seed: number }): void {
	const corpus = corpusOf(name)
	for (const input of corpus) judge(name, target, input, 'corpus')
	const random = createSeededRandom(options.seed)
	for (let run = 0; run < options.runs; run++) {
		const base = corpus[random.int(0, corpus.length - 1)] ?? new Uint8Array()
		judge(name, target, mutate(base, corpus, random), `SEED=${options.seed}`)
	}
}

function judge(name: string, target: Target, input: Uint8Array, source: string): void {
	const fail = (what: string, cause?: unknown): never => {
		throw new FuzzFailure(`${name}: ${what}; ${source}; input in base64: ${Buffer.from(input).toString('base64')}`, { cause })
	}
	const before = Uint8Array.from(input)
	const startedMs = performance.now()
	let answer: unknown
	try {
		answer = target(input)
	} catch (error) {
		fail(`threw ${String(error)}`, error)
	}
	const elapsedMs = performance.now() - startedMs
	if (elapsedMs > SLOW_MS) fail(`took ${Math.round(elapsedMs)} ms`)
	if (!before.every((byte, index) => byte === input[index])) fail('changed its input')
	for (const detail of detailsOf(answer)) {
		if (detail.length > DETAIL_CHARS) fail(`explains itself in ${detail.length} characters`)
		// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through
		if (!OWN_FILES.has(name) && /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(detail))
			fail('lets control characters into its explanation')
	}
}

/** The texts by which a parser explains a refusal. */
function detailsOf(answer: unknown): readonly string[] {
	if (typeof answer !== 'object' || answer === null) return []
	if ('problems' in answer && Array.isArray(answer.problems)) return answer.problems.map(String)
	if ('error' in answer && typeof answer.error === 'object' && answer.error !== null && 'detail' in answer.error)
		return [String(answer.error.detail)]
	return []
}
