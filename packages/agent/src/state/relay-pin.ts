import { nameField, relayIdSchema, textField, timeField, userIdSchema } from '@sallyport/protocol'
import * as v from 'valibot'

/** The relay that this node is enrolled at: its id is pinned for its origin. */
export const relayPinSchema = v.object({
	version: v.literal(1),
	/** As people and pairings know it. */
	origin: textField(512),
	/** What is dialled; it may be an inner address of the same relay. */
	dial_origin: textField(512),
	relay_id: relayIdSchema,
	name: nameField,
	owner: v.exactOptional(v.object({ id: userIdSchema, name: nameField })),
	enrolled_at: timeField,
})
export type RelayPin = v.InferOutput<typeof relayPinSchema>
