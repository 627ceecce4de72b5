import {
	bytesField,
	capabilitiesField,
	deviceIdSchema,
	nameField,
	sessionIdSchema,
	textField,
	timeField,
	uintField,
} from '@sallyport/protocol'
import * as v from 'valibot'

const session = v.object({
	session_id: sessionIdSchema,
	device_id: deviceIdSchema,
	identity_key: bytesField({ length: 32 }),
	device_name: nameField,
	user: nameField,
	/** The relay's id for that user, when it came through one: what a `suspend` names. */
	user_id: v.exactOptional(textField(64)),
	capabilities: capabilitiesField,
	created_at: timeField,
	last_seen_at: timeField,
	paired_by: v.picklist(['join', 'invite', 'approve', 'endorsement']),
	address: textField(64),
	/** The highest serial seen of this device's certificates. */
	serial: uintField,
	/** Made by approve code, and the person hasn't carried the return code back yet. */
	unconfirmed: v.exactOptional(v.boolean()),
})
/** A device session as this node keeps it. */
export type StoredSession = v.InferOutput<typeof session>

const secret = v.object({
	secret_id: textField(64),
	kind: v.picklist(['join', 'invite']),
	secret: bytesField({ length: 32 }),
	/** A join names the one device that may use it. */
	device_key: v.exactOptional(bytesField({ length: 32 })),
	user: nameField,
	capabilities: capabilitiesField,
	expires_at: timeField,
	/** Set once, by the first device that proved it. */
	bound: v.exactOptional(v.object({ identity_key: bytesField({ length: 32 }), session_id: sessionIdSchema })),
})
/** A one-use pairing secret as this node keeps it. */
export type StoredSecret = v.InferOutput<typeof secret>

export const pairingsSchema = v.object({
	version: v.literal(1),
	sessions: v.array(session),
	secrets: v.array(secret),
	/** So that "revoked" and "expired" can be told from "unknown". */
	gone: v.array(v.object({ session_id: sessionIdSchema, reason: v.picklist(['expired', 'revoked']), at: timeField })),
	suspended_users: v.array(textField(64)),
	suspended_sessions: v.array(sessionIdSchema),
	/** Grows with every revocation; never falls. */
	epoch: uintField,
	/** The latest wall time this node ever saw: a clock set back extends nothing. */
	highest_ms: timeField,
})
export type StoredPairings = v.InferOutput<typeof pairingsSchema>

export const EMPTY_PAIRINGS: StoredPairings = {
	version: 1,
	sessions: [],
	secrets: [],
	gone: [],
	suspended_users: [],
	suspended_sessions: [],
	epoch: 0,
	highest_ms: 0,
}
