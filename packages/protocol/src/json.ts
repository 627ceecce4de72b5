import * as v from 'valibot'
import { bytesToUtf8 } from './bytes.ts'
import { LIMITS } from './limits.ts'
import type { Result } from './result.ts'
import { fault, ok } from './result.ts'

/** Of the place of a mistake, in an explanation. */
const MAX_PATH_CHARS = 128

/** Parses JSON text that came from outside: size first, then depth, then the value itself. */
export function parseJson(input: Uint8Array | string, maxBytes: number): Result<unknown> {
	// A string is at least as many bytes as UTF-16 units, so this bound can't let more through.
	if (input.length > maxBytes) return fault('MESSAGE_TOO_LARGE', `message of ${input.length} bytes exceeds ${maxBytes}`)
	const text = typeof input === 'string' ? ok(input) : bytesToUtf8(input)
	if (!text.ok) return text
	if (jsonDepth(text.value) > LIMITS.jsonDepth)
		return fault('MESSAGE_TOO_DEEP', `message is nested deeper than ${LIMITS.jsonDepth}`)
	try {
		return ok(JSON.parse(text.value))
	} catch {
		// JSON.parse fails only on malformed text; its message may quote the text, so it is not passed on.
		return fault('MESSAGE_NOT_JSON', 'message is not json')
	}
}

/** Checks a value against a schema; the detail names the path and the rule, never the value. */
export function parseWith<T>(schema: v.GenericSchema<unknown, T>, value: unknown): Result<T> {
	const parsed = v.safeParse(schema, value, { abortEarly: true })
	if (parsed.success) return ok(parsed.output)
	const issue = parsed.issues[0]
	return fault('MESSAGE_INVALID', `${plainPath(v.getDotPath(issue))}: expected ${issue.expected ?? issue.message}`)
}

/** In a record the sender chose the keys too: logs and terminals get neither their controls nor their length. */
function plainPath(path: string | null): string {
	return path === null ? 'message' : path.slice(0, MAX_PATH_CHARS).replace(/[^ -~]/g, '?')
}

/** The `op` of a message, if it has one. */
export function messageOp(value: unknown): string | undefined {
	if (typeof value !== 'object' || value === null || !('op' in value)) return undefined
	return typeof value.op === 'string' ? value.op : undefined
}

function jsonDepth(text: string): number {
	let depth = 0
	let deepest = 0
	let inString = false
	for (let index = 0; index < text.length; index++) {
		const char = text.charCodeAt(index)
		if (inString) {
			if (char === 0x5c) index++
			else if (char === 0x22) inString = false
		} else if (char === 0x22) inString = true
		else if (char === 0x7b || char === 0x5b) deepest = Math.max(deepest, ++depth)
		else if (char === 0x7d || char === 0x5d) depth--
	}
	return deepest
}
