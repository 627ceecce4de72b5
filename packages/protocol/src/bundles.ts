/**
 * The two secrets that people carry by hand. Both name the exact origin and relay they are for.
 *
 * Join: `sly_join_v1.<enrol token>.<base64url(json)>`; the enrol token alone ever goes to the relay.
 * Invite: `sly_invite_v1.<base64url(json)>`; stands only in a URL fragment.
 */
import * as v from 'valibot'
import { base64UrlToBytes, bytesToBase64Url, utf8ToBytes } from './bytes.ts'
import { encodeMessage } from './encode.ts'
import { bytesField, nameField, textField, timeField } from './fields.ts'
import { nodeIdSchema, relayIdSchema } from './ids.ts'
import { parseJson, parseWith } from './json.ts'
import type { Result } from './result.ts'
import { fault, ok } from './result.ts'
import { parseToken } from './tokens.ts'

const MAX_BUNDLE_CHARS = 4096

const joinSecrets = v.object({
	origin: textField(512),
	relay_id: relayIdSchema,
	/** SHA-256 of the relay's CA, when it has one of its own. */
	ca_pin: v.exactOptional(bytesField({ length: 32 })),
	/** Who gains access, as the relay names them. */
	user: nameField,
	/** S: becomes the psk of the first link. */
	secret: bytesField({ length: 32 }),
	/** Ed25519 identity key of the one device that may use S. */
	device_key: bytesField({ length: 32 }),
	device_name: nameField,
	expires: timeField,
})
export type JoinSecrets = v.InferOutput<typeof joinSecrets>
export interface JoinBundle extends JoinSecrets {
	readonly enrolToken: string
}

const invite = v.object({
	origin: textField(512),
	relay_id: relayIdSchema,
	node_id: nodeIdSchema,
	node_name: nameField,
	invite_id: textField(64),
	secret: bytesField({ length: 32 }),
	expires: timeField,
})
export type InviteBundle = v.InferOutput<typeof invite>

export function formatJoinBundle(bundle: JoinBundle): string {
	const { enrolToken, ...secrets } = bundle
	return `sly_join_v1.${enrolToken}.${toBase64Json(secrets)}`
}

export function parseJoinBundle(text: string): Result<JoinBundle> {
	const [label, enrolToken, encoded, ...rest] = text
		.trim()
		.slice(0, MAX_BUNDLE_CHARS + 1)
		.split('.')
	if (
		text.length > MAX_BUNDLE_CHARS ||
		label !== 'sly_join_v1' ||
		enrolToken === undefined ||
		encoded === undefined ||
		rest.length > 0
	) {
		return fault('BUNDLE_INVALID', 'join text is not whole: copy all of it, from sly_join_v1 to the end')
	}
	const token = parseToken(enrolToken)
	if (!token.ok || token.value.kind !== 'enrol')
		return fault('BUNDLE_INVALID', 'join text holds no enrol token: copy all of it again')
	const secrets = parseBase64Json(joinSecrets, encoded)
	return secrets.ok ? ok({ ...secrets.value, enrolToken }) : secrets
}

export function formatInvite(bundle: InviteBundle): string {
	return `sly_invite_v1.${toBase64Json(bundle)}`
}

export function parseInvite(text: string): Result<InviteBundle> {
	const [label, encoded, ...rest] = text
		.trim()
		.slice(0, MAX_BUNDLE_CHARS + 1)
		.split('.')
	if (text.length > MAX_BUNDLE_CHARS || label !== 'sly_invite_v1' || encoded === undefined || rest.length > 0) {
		return fault('BUNDLE_INVALID', 'invite is not whole: copy all of the link')
	}
	return parseBase64Json(invite, encoded)
}

function toBase64Json(value: object): string {
	return bytesToBase64Url(utf8ToBytes(encodeMessage({ op: 'bundle', ...value })))
}

function parseBase64Json<T>(schema: v.GenericSchema<unknown, T>, encoded: string): Result<T> {
	const bytes = base64UrlToBytes(encoded)
	const json = bytes.ok ? parseJson(bytes.value, MAX_BUNDLE_CHARS) : bytes
	const parsed = json.ok ? parseWith(schema, json.value) : json
	return parsed.ok ? parsed : fault('BUNDLE_INVALID', `text is damaged (${parsed.error.detail}): copy all of it again`)
}
