/** JSON frames of `exec`, `shell` and `attach` streams. */
import { parseJson, parseWith, RESET_CODES, type Result, textField, uintField } from '@sallyport/protocol'
import * as v from 'valibot'

const optional = v.exactOptional
const MAX_BYTES = 16 * 1024

/** Command to process. */
const controlSchema = v.variant('kind', [
	v.object({ kind: v.literal('resize'), cols: uintField, rows: uintField }),
	v.object({ kind: v.literal('signal'), signal: textField(16) }),
	/** Leaves the terminal running on the machine. */
	v.object({ kind: v.literal('detach') }),
])
export type LocalControl = v.InferOutput<typeof controlSchema>

/** Process to command: how it ended; the last frame. */
const endSchema = v.variant('kind', [
	v.object({ kind: v.literal('exit'), status: optional(uintField), signal: optional(textField(16)) }),
	v.object({ kind: v.literal('reset'), code: v.picklist(RESET_CODES), message: textField(2048) }),
	v.object({ kind: v.literal('link'), message: textField(2048) }),
	v.object({ kind: v.literal('detached') }),
])
export type LocalEnd = v.InferOutput<typeof endSchema>

export const parseControl = (bytes: Uint8Array): Result<LocalControl> => parse(controlSchema, bytes)
export const parseEnd = (bytes: Uint8Array): Result<LocalEnd> => parse(endSchema, bytes)

function parse<T>(schema: v.GenericSchema<unknown, T>, bytes: Uint8Array): Result<T> {
	const json = parseJson(bytes, MAX_BYTES)
	return json.ok ? parseWith(schema, json.value) : json
}
