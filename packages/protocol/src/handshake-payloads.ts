/** Payloads of the three handshake messages: JSON inside the Noise messages. `docs/protocol.md`, "Handshake". */
import * as v from 'valibot'
import { utf8ToBytes } from './bytes.ts'
import { encodeMessage } from './encode.ts'
import { bytesField, nameField, textField, uintField } from './fields.ts'
import { linkIdSchema, sessionIdSchema } from './ids.ts'
import { parseJson, parseWith } from './json.ts'
import { LIMITS } from './limits.ts'
import type { Result } from './result.ts'

export const SUITE_25519_AESGCM_SHA256 = 1
export const HANDSHAKE_LABEL = 'sallyport-link-v1'

const versions = v.pipe(v.array(uintField), v.minLength(1), v.maxLength(16))
const features = v.pipe(v.array(textField(64)), v.maxLength(32))
const certificate = bytesField({ maxLength: 512 })

const intents = ['open', 'pair', 'resume'] as const
export type Intent = (typeof intents)[number]

/** Readable by anyone on the path; bound by the transcript. `secret_id` selects the psk: an enrol token's or invite's id. */
const payload1 = v.object({ versions, intent: v.picklist(intents), secret_id: v.exactOptional(textField(64)) })
export type HandshakePayload1 = v.InferOutput<typeof payload1>

const payload2 = v.object({ version: uintField, versions, features, certificate })
export type HandshakePayload2 = v.InferOutput<typeof payload2>

const common = { certificate, features }
const payload3 = v.variant('intent', [
	v.object({
		intent: v.literal('open'),
		...common,
		session_id: v.exactOptional(sessionIdSchema),
		endorsement: v.exactOptional(bytesField({ maxLength: LIMITS.endorsementBytes })),
		/** A reloaded page frees its old link. */
		replaces: v.exactOptional(linkIdSchema),
	}),
	/** By secret when message 1 named one, else by approve code. */
	v.object({ intent: v.literal('pair'), ...common, device_name: nameField, device_kind: v.picklist(['browser', 'cli']) }),
	v.object({ intent: v.literal('resume'), ...common, link_id: linkIdSchema, attempt: uintField, received: uintField }),
])
export type HandshakePayload3 = v.InferOutput<typeof payload3>

export function encodeHandshakePayload(payload: HandshakePayload1 | HandshakePayload2 | HandshakePayload3): Uint8Array {
	return utf8ToBytes(encodeMessage({ op: 'handshake', ...payload }))
}

export const parseHandshakePayload1 = (bytes: Uint8Array): Result<HandshakePayload1> => parse(payload1, bytes)
export const parseHandshakePayload2 = (bytes: Uint8Array): Result<HandshakePayload2> => parse(payload2, bytes)
export const parseHandshakePayload3 = (bytes: Uint8Array): Result<HandshakePayload3> => parse(payload3, bytes)

function parse<T>(schema: v.GenericSchema<unknown, T>, bytes: Uint8Array): Result<T> {
	const json = parseJson(bytes, LIMITS.handshakeMessageBytes)
	return json.ok ? parseWith(schema, json.value) : json
}
