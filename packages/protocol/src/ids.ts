import * as v from 'valibot'
import { bytesToBase32, bytesToBase64Url, concatBytes, utf8ToBytes } from './bytes.ts'

/** A string that only a schema of this file can make; the property exists for the compiler alone. */
export type Branded<Name extends string> = string & { readonly '~id': Name }

/** SHA-256 of label and Ed25519 identity key, base32, 52 characters. Shown short, compared whole. */
export type NodeId = Branded<'NodeId'>
/** As a node's id, under another label. */
export type DeviceId = Branded<'DeviceId'>
/** Random; pinned by agents and clients for each origin. */
export type RelayId = Branded<'RelayId'>
export type UserId = Branded<'UserId'>
/** Random 128 bits made by the node. Opens nothing by itself. */
export type SessionId = Branded<'SessionId'>
export type LinkId = Branded<'LinkId'>
export type TerminalId = Branded<'TerminalId'>

const keyHashId = v.pipe(v.string(), v.regex(/^[a-z2-7]{52}$/, 'is not an id of 52 base32 characters'))
const randomId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{8,64}$/, 'is not an id'))

// The brand is given here and nowhere else: these schemas are the only makers of ids.
export const nodeIdSchema = v.pipe(
	keyHashId,
	v.transform((text) => text as NodeId),
)
export const deviceIdSchema = v.pipe(
	keyHashId,
	v.transform((text) => text as DeviceId),
)
export const relayIdSchema = v.pipe(
	randomId,
	v.transform((text) => text as RelayId),
)
export const userIdSchema = v.pipe(
	randomId,
	v.transform((text) => text as UserId),
)
export const sessionIdSchema = v.pipe(
	randomId,
	v.transform((text) => text as SessionId),
)
export const linkIdSchema = v.pipe(
	randomId,
	v.transform((text) => text as LinkId),
)
export const terminalIdSchema = v.pipe(
	randomId,
	v.transform((text) => text as TerminalId),
)

/** What is hashed (SHA-256) to give a node's id. */
export function nodeIdInput(identityKey: Uint8Array): Uint8Array {
	return concatBytes([utf8ToBytes('sallyport-node-id-v1'), identityKey])
}

/** What is hashed (SHA-256) to give a device's id. */
export function deviceIdInput(identityKey: Uint8Array): Uint8Array {
	return concatBytes([utf8ToBytes('sallyport-device-id-v1'), identityKey])
}

export function nodeIdFromHash(hash: Uint8Array): NodeId {
	return bytesToBase32(hash) as NodeId
}

export function deviceIdFromHash(hash: Uint8Array): DeviceId {
	return bytesToBase32(hash) as DeviceId
}

/** How people compare an id at two screens: its first 80 bits, `abcd-efgh-ijkl-mnop`. Too many to search a key for. */
export function fingerprintOf(id: NodeId | DeviceId): string {
	return id.slice(0, 16).replace(/.{4}(?=.)/g, '$&-')
}

/** An id for logs: enough to tell machines apart, never enough to decide by; for that there is `fingerprintOf`. */
export function shortId(id: NodeId | DeviceId): string {
	return `${id.slice(0, 4)}-${id.slice(4, 8)}`
}

/** A link's id of 16 random bytes. */
export function linkIdFromBytes(random: Uint8Array): LinkId {
	return bytesToBase64Url(random) as LinkId
}

/** A device session's id of 16 random bytes. */
export function sessionIdFromBytes(random: Uint8Array): SessionId {
	return bytesToBase64Url(random) as SessionId
}

/** A terminal's id of 16 random bytes. */
export function terminalIdFromBytes(random: Uint8Array): TerminalId {
	return bytesToBase64Url(random) as TerminalId
}
