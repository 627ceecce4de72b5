/** What the store hands out: rows of this relay's own database, parsed into the words of the rest of the program. */
import type { NodeId, Role, Scope, UserId } from '@sallyport/protocol'
import { base64UrlToBytes, nodeIdSchema, SCOPES, userIdSchema } from '@sallyport/protocol'
import * as v from 'valibot'
import type { NodeRecord } from '../control-plane.ts'
import type { NodeRow } from './schema.ts'

export interface UserRecord {
	readonly id: UserId
	readonly email: string
	readonly username: string
	readonly roles: readonly Role[]
	/** Credentials made under an older epoch than the user's are dead. */
	readonly epoch: number
}

/** A credential that is valid now, by the database's clock, of a user who is active. */
export interface CredentialRecord {
	readonly kind: 'web' | 'cli' | 'pat'
	/** What a revocation names: the sign-in of a `web` token, else the token itself. */
	readonly credentialId: string
	/** Of the whole token text, base64url; the caller compares it. */
	readonly tokenHash: string
	readonly user: UserRecord
	readonly scopes: readonly Scope[]
	/** Absolute end of what the credential stands on. */
	readonly expiresAtMs: number
	readonly lastActiveAtMs: number
	/** The database's clock at the time of the answer. */
	readonly nowMs: number
}

const roles = v.array(v.picklist(['user', 'admin', 'owner']))
const scopes = v.array(v.picklist(SCOPES))

export function parseRoles(text: string): readonly Role[] {
	return v.parse(roles, JSON.parse(text))
}

export function parseScopes(text: string): readonly Scope[] {
	return v.parse(scopes, JSON.parse(text))
}

export function parseUserId(text: string): UserId {
	return v.parse(userIdSchema, text)
}

export function parseNodeId(text: string): NodeId {
	return v.parse(nodeIdSchema, text)
}

export function rowToUser(row: {
	id: string
	email: string
	username: string
	roles: string
	session_epoch: number
}): UserRecord {
	return {
		id: parseUserId(row.id),
		email: row.email,
		username: row.username,
		roles: parseRoles(row.roles),
		epoch: row.session_epoch,
	}
}

export function rowToNode(row: NodeRow & { readonly owner_username: string | null }): NodeRecord {
	const identityKey = base64UrlToBytes(row.identity_key)
	if (!identityKey.ok) throw new Error(`identity key of node ${row.id} is damaged in the database`)
	return {
		id: parseNodeId(row.id),
		name: row.name,
		identityKey: identityKey.value,
		createdAtMs: row.created_at,
		stoppedCleanly: row.stopped_cleanly === 1,
		...(row.user_id !== null && row.owner_username !== null
			? { owner: { id: parseUserId(row.user_id), username: row.owner_username } }
			: {}),
		...(row.connected_at !== null ? { connectedAtMs: row.connected_at } : {}),
		...(row.last_seen_at !== null ? { lastSeenAtMs: row.last_seen_at } : {}),
		...(row.hostname !== null ? { hostname: row.hostname } : {}),
		...(row.os !== null ? { os: row.os } : {}),
		...(row.agent_version !== null ? { agentVersion: row.agent_version } : {}),
		...(row.token_id !== null ? { enrolTokenId: row.token_id } : {}),
	}
}
