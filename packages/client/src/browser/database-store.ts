import { nameField, nodeIdSchema, parseWith, sessionIdSchema, textField, timeField } from '@sallyport/protocol'
import * as v from 'valibot'
import type { DeviceStore, StoredJoin, StoredPairing } from '../device.ts'
import { type Database, STORES } from './database.ts'

const key32 = v.pipe(
	v.instance(Uint8Array),
	v.check((bytes) => bytes.length === 32),
)

const pairingSchema: v.GenericSchema<unknown, StoredPairing> = v.object({
	nodeId: nodeIdSchema,
	nodeName: nameField,
	identityKey: key32,
	serial: timeField,
	sessionId: sessionIdSchema,
	pairedAtMs: timeField,
	pairedBy: v.picklist(['join', 'invite', 'approve']),
})

const joinSchema: v.GenericSchema<unknown, StoredJoin> = v.object({
	tokenId: textField(64),
	secret: key32,
	origin: textField(512),
	expiresAtMs: timeField,
})

/** Pairings and joins of this page, in IndexedDB. What can't be read is left where it is and counts as absent. */
export function createDatabaseStore(database: Database): DeviceStore {
	const parse = <T>(schema: v.GenericSchema<unknown, T>, value: unknown): T | undefined => {
		const parsed = parseWith(schema, value)
		return parsed.ok ? parsed.value : undefined
	}
	const all = async <T>(store: 'pairings' | 'joins', schema: v.GenericSchema<unknown, T>): Promise<readonly T[]> =>
		(await database.all(store)).map((value) => parse(schema, value)).filter((value): value is T => value !== undefined)
	return {
		pairings: () => all(STORES.pairings, pairingSchema),
		pairing: async (nodeId) => parse(pairingSchema, await database.get(STORES.pairings, nodeId)),
		putPairing: (pairing) => database.put(STORES.pairings, pairing.nodeId, pairing),
		deletePairing: (nodeId) => database.delete(STORES.pairings, nodeId),
		joins: () => all(STORES.joins, joinSchema),
		putJoin: (join) => database.put(STORES.joins, join.tokenId, join),
		deleteJoin: (tokenId) => database.delete(STORES.joins, tokenId),
	}
}
