/** A node's registration: a token is used up and an identity key gets its place, in one transaction. */
import { timingSafeEqual } from 'node:crypto'
import type { NodeId } from '@sallyport/protocol'
import type { Transaction } from 'kysely'
import type { NodeRecord } from '../control-plane.ts'
import type { Db, StoreDialect } from './dialect.ts'
import { isUniqueViolation } from './errors.ts'
import { addEvent } from './events.ts'
import { freeName } from './node-names.ts'
import { findNodeRow } from './node-query.ts'
import { parseScopes } from './records.ts'
import type { Database, TokenRow } from './schema.ts'

export interface EnrolmentRequest {
	readonly tokenId: string
	readonly tokenHash: string
	readonly nodeId: NodeId
	/** base64url; the caller has checked that it hashes to the id and that the machine holds the key. */
	readonly identityKey: string
	readonly name: string
	readonly hostname: string
	readonly os: string
	readonly agentVersion: string
}

export type Enrolment =
	| { readonly kind: 'enrolled'; readonly node: NodeRecord }
	/** Unknown, expired, revoked, used by another machine: all alike. */
	| { readonly kind: 'token_invalid' }
	/** The machine belongs to another user. */
	| { readonly kind: 'foreign' }

const RETRIES = 3

export async function enrolNode(db: Db, dialect: StoreDialect, request: EnrolmentRequest): Promise<Enrolment> {
	for (let attempt = 1; ; attempt++) {
		try {
			return await db.transaction().execute((transaction) => enrol(transaction, dialect, request))
		} catch (failure) {
			// Two tokens enrolled one key, or one name was taken twice, at the same moment: the second look finds the first.
			if (attempt > RETRIES || !isUniqueViolation(failure)) throw failure
		}
	}
}

async function enrol(transaction: Transaction<Database>, dialect: StoreDialect, request: EnrolmentRequest): Promise<Enrolment> {
	const token = await lockToken(transaction, dialect, request)
	if (token === undefined) return { kind: 'token_invalid' }
	const known = await findNodeRow(transaction, request.nodeId, { revokedToo: true })
	const isThere = known !== undefined && known.revoked_at === null
	if (isThere && known.user_id !== null && known.user_id !== token.user_id) return { kind: 'foreign' }
	if (token.kind === 'enrol') {
		if (token.used_by_node !== null && (token.used_by_node !== request.nodeId || !isThere)) return { kind: 'token_invalid' }
		await transaction.updateTable('pat_tokens').set({ used_by_node: request.nodeId }).where('id', '=', token.id).execute()
	}
	const fields = {
		user_id: token.user_id,
		token_id: token.id,
		hostname: request.hostname,
		os: request.os,
		agent_version: request.agentVersion,
		revoked_at: null,
	}
	if (known === undefined) {
		await transaction
			.insertInto('nodes')
			.values({
				...fields,
				id: request.nodeId,
				name: await freeName(transaction, token.user_id, request.name),
				created_at: dialect.now,
				connected: 0,
				connected_at: null,
				last_seen_at: null,
				stopped_cleanly: 0,
				identity_key: request.identityKey,
			})
			.execute()
	} else {
		const name = await freeName(transaction, token.user_id, isThere ? known.name : request.name, request.nodeId)
		// Back after a removal, perhaps to another owner: its earlier life is nobody's business.
		const anew = { created_at: dialect.now, connected_at: null, last_seen_at: null, stopped_cleanly: 0 }
		await transaction
			.updateTable('nodes')
			.set({ ...fields, ...(isThere ? {} : anew), name })
			.where('id', '=', request.nodeId)
			.execute()
	}
	await addEvent(transaction, dialect, 'node_changed', request.nodeId)
	const node = await findNodeRow(transaction, request.nodeId)
	if (node === undefined) throw new Error(`node ${request.nodeId} is not there after its enrolment`)
	return { kind: 'enrolled', node: node.record }
}

/** The token if it may enrol now. Held until the end of the transaction, and its owner with it: names are theirs. */
async function lockToken(
	transaction: Transaction<Database>,
	dialect: StoreDialect,
	request: EnrolmentRequest,
): Promise<TokenRow | undefined> {
	const query = transaction
		.selectFrom('pat_tokens')
		.selectAll()
		.where('token_id', '=', request.tokenId)
		.where('revoked_at', 'is', null)
		.where('expires_at', '>', dialect.now)
	const token = await (dialect.locksRows ? query.forUpdate() : query).executeTakeFirst()
	if (token === undefined || !equalHashes(token.token_hash, request.tokenHash)) return undefined
	if (token.kind === 'pat' && !parseScopes(token.scopes).includes('nodes:enrol')) return undefined
	if (token.user_id === null) return token
	const users = transaction
		.selectFrom('users')
		.select('session_epoch')
		.where('id', '=', token.user_id)
		.where('disabled_at', 'is', null)
	const owner = await (dialect.locksRows ? users.forUpdate() : users).executeTakeFirst()
	return owner?.session_epoch === token.session_epoch ? token : undefined
}

function equalHashes(left: string, right: string): boolean {
	const [a, b] = [Buffer.from(left), Buffer.from(right)]
	return a.length === b.length && timingSafeEqual(a, b)
}
