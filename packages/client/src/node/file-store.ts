import { readdir } from 'node:fs/promises'
import type { PrivateDirectory, SealingKey } from '@sallyport/carrier/node'
import {
	bytesField,
	bytesToUtf8,
	encodeMessage,
	nameField,
	nodeIdSchema,
	parseJson,
	parseWith,
	sessionIdSchema,
	textField,
	timeField,
	utf8ToBytes,
} from '@sallyport/protocol'
import * as v from 'valibot'
import type { DeviceStore, StoredJoin, StoredPairing } from '../device.ts'

const MAX_BYTES = 16 * 1024
const PAIRING = /^pairing-([a-z2-7]{52})\.json$/
const JOIN = /^join-([A-Za-z0-9_-]{1,64})\.sealed$/
/** Bound into the seal: what was sealed as a join opens as nothing else. */
const JOIN_PURPOSE = 'join'

const pairingSchema: v.GenericSchema<unknown, StoredPairing> = v.object({
	nodeId: nodeIdSchema,
	nodeName: nameField,
	identityKey: bytesField({ length: 32 }),
	serial: timeField,
	sessionId: sessionIdSchema,
	pairedAtMs: timeField,
	pairedBy: v.picklist(['join', 'invite', 'approve']),
})

const joinSchema: v.GenericSchema<unknown, StoredJoin> = v.object({
	tokenId: textField(64),
	secret: bytesField({ length: 32 }),
	origin: textField(512),
	expiresAtMs: timeField,
})

/**
 * A file for each pairing and each join: several processes of one profile may write at once, and no write can harm what
 * another one wrote. An unreadable file is set aside and told, never deleted.
 */
export function createFileStore(
	directory: PrivateDirectory,
	sealing: SealingKey,
	onCorrupt: (name: string) => void = () => {},
): DeviceStore {
	const names = async (shape: RegExp): Promise<readonly string[]> =>
		(await readdir(directory.path)).filter((name) => shape.test(name))
	const aside = async (name: string): Promise<undefined> => {
		onCorrupt(await directory.setAside(name))
		return undefined
	}
	const parse = <T>(bytes: Uint8Array | undefined, schema: v.GenericSchema<unknown, T>): T | undefined => {
		const text = bytes === undefined ? undefined : bytesToUtf8(bytes)
		const json = text?.ok === true ? parseJson(text.value, MAX_BYTES) : undefined
		const parsed = json?.ok === true ? parseWith(schema, json.value) : undefined
		return parsed?.ok === true ? parsed.value : undefined
	}
	const readPairing = async (name: string): Promise<StoredPairing | undefined> => {
		const bytes = await directory.read(name, MAX_BYTES)
		if (bytes === undefined) return undefined
		const pairing = parse(bytes, pairingSchema)
		return pairing !== undefined && name === pairingFile(pairing.nodeId) ? pairing : aside(name)
	}
	const readJoin = async (name: string): Promise<StoredJoin | undefined> => {
		const sealed = await directory.read(name, MAX_BYTES)
		if (sealed === undefined) return undefined
		return parse(sealing.open(JOIN_PURPOSE, sealed), joinSchema) ?? aside(name)
	}
	return {
		pairings: async () => present(await Promise.all((await names(PAIRING)).map(readPairing))),
		pairing: (nodeId) => readPairing(pairingFile(nodeId)),
		putPairing: (pairing) => directory.replace(pairingFile(pairing.nodeId), toBytes('pairing', pairing)),
		deletePairing: (nodeId) => directory.remove(pairingFile(nodeId)),
		joins: async () => present(await Promise.all((await names(JOIN)).map(readJoin))),
		putJoin: (join) => directory.replace(joinFile(join.tokenId), sealing.seal(JOIN_PURPOSE, toBytes('join', join))),
		deleteJoin: (tokenId) => directory.remove(joinFile(tokenId)),
	}
}

function pairingFile(nodeId: string): string {
	return `pairing-${nodeId}.json`
}

function joinFile(tokenId: string): string {
	return `join-${tokenId}.sealed`
}

function toBytes(op: string, value: object): Uint8Array {
	return utf8ToBytes(encodeMessage({ op, ...value }))
}

function present<T>(items: readonly (T | undefined)[]): readonly T[] {
	return items.filter((item): item is T => item !== undefined)
}
