/**
 * What commands and the background process say to each other over its socket: one connection for each stream. The
 * command sends one JSON line, gets one JSON line, and what follows is the stream's: raw bytes for `tcp`, frames
 * (`local-frames.ts`) for `exec`, `shell` and `attach`, nothing for the others.
 */
import { CLIENT_ERROR_CODES } from '@sallyport/client'
import {
	nameField,
	nodeIdSchema,
	parseJson,
	parseWith,
	portField,
	type Result,
	sessionIdSchema,
	terminalIdSchema,
	textField,
	uintField,
} from '@sallyport/protocol'
import * as v from 'valibot'

export const LOCAL_VERSION = 1
/** A command line of 256 words of 8 KiB fits. */
export const LOCAL_LINE_BYTES = 4 * 1024 * 1024

const size = { cols: uintField, rows: uintField }
const optional = v.exactOptional

const requestSchema = v.variant('op', [
	v.object({ op: v.literal('tcp'), node: textField(256), host: optional(textField(255)), port: optional(portField) }),
	v.object({
		op: v.literal('exec'),
		node: textField(256),
		argv: v.array(textField(8192)),
		cwd: optional(textField(4096)),
		env: optional(v.record(textField(128), textField(4096))),
	}),
	v.object({ op: v.literal('shell'), node: textField(256), ...size, term: optional(textField(64)), name: optional(nameField) }),
	v.object({ op: v.literal('attach'), node: textField(256), ...size, terminal: terminalIdSchema }),
	/** Opens the link, and no more. */
	v.object({ op: v.literal('connect'), node: textField(256) }),
	v.object({ op: v.literal('terminals'), node: textField(256) }),
	v.object({ op: v.literal('end_terminal'), node: textField(256), terminal: terminalIdSchema }),
	v.object({ op: v.literal('devices'), node: textField(256) }),
	v.object({ op: v.literal('revoke'), node: textField(256), session: sessionIdSchema }),
	/** Why a stream ended otherwise than in peace: raw streams have no room to say it. */
	v.object({ op: v.literal('outcome'), stream: uintField }),
	v.object({ op: v.literal('status') }),
	v.object({ op: v.literal('stop') }),
])
export type LocalRequest = v.InferOutput<typeof requestSchema>

const greetingSchema = v.object({ v: uintField, build: textField(128), request: v.unknown() })

const answerSchema = v.variant('kind', [
	v.object({
		kind: v.literal('ok'),
		stream: optional(uintField),
		node: optional(v.object({ id: nodeIdSchema, name: nameField })),
		terminal: optional(v.object({ id: textField(64), name: textField(128) })),
		result: optional(v.unknown()),
	}),
	v.object({
		kind: v.literal('failed'),
		code: v.fallback(v.picklist(CLIENT_ERROR_CODES), 'internal'),
		status: uintField,
		message: textField(8192),
		retry_after_ms: optional(uintField),
	}),
	/** The process is of another version and takes nothing new: start one of your own. */
	v.object({ kind: v.literal('draining') }),
])
export type LocalAnswer = v.InferOutput<typeof answerSchema>

export function encodeRequest(build: string, request: LocalRequest): string {
	return `${JSON.stringify({ v: LOCAL_VERSION, build, request })}\n`
}

/** Another version's greeting is known by its envelope alone: its request may be of a shape unknown here. */
export function parseGreeting(
	line: Uint8Array,
): Result<{ readonly v: number; readonly build: string; readonly request: unknown }> {
	const json = parseJson(line, LOCAL_LINE_BYTES)
	return json.ok ? parseWith(greetingSchema, json.value) : json
}

export function parseRequest(request: unknown): Result<LocalRequest> {
	return parseWith(requestSchema, request)
}

export function encodeAnswer(answer: LocalAnswer): string {
	return `${JSON.stringify(answer)}\n`
}

export function parseAnswer(line: Uint8Array): Result<LocalAnswer> {
	const json = parseJson(line, LOCAL_LINE_BYTES)
	return json.ok ? parseWith(answerSchema, json.value) : json
}
