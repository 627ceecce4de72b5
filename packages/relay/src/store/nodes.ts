import type { NodeId, UserId } from '@sallyport/protocol'
import { sql } from 'kysely'
import type { NodeRecord } from '../control-plane.ts'
import type { Db, StoreDialect } from './dialect.ts'
import type { Enrolment, EnrolmentRequest } from './enrolment.ts'
import { enrolNode } from './enrolment.ts'
import { isUniqueViolation } from './errors.ts'
import { addEvent } from './events.ts'
import { findNodeRow, nodeQuery } from './node-query.ts'
import { rowToNode } from './records.ts'

export interface Nodes {
	enrol(request: EnrolmentRequest): Promise<Enrolment>
	/** Removed nodes are absent. */
	find(nodeId: NodeId): Promise<NodeRecord | undefined>
	listOf(userId: UserId): Promise<readonly NodeRecord[]>
	rename(userId: UserId, nodeId: NodeId, name: string): Promise<'renamed' | 'name_taken' | 'not_found'>
	/** Ends the node's trust at this relay; the same machine may enrol again with a new token. */
	remove(userId: UserId, nodeId: NodeId): Promise<boolean>
	markConnected(
		nodeId: NodeId,
		hello: { readonly hostname: string; readonly os: string; readonly agentVersion: string },
	): Promise<void>
	markDisconnected(nodeId: NodeId, stoppedCleanly: boolean): Promise<void>
	/** After a crash nobody said goodbye: nothing is connected when a relay that is alone on its database starts. */
	resetConnected(): Promise<void>
}

export function createNodes(db: Db, dialect: StoreDialect): Nodes {
	return {
		enrol: (request) => enrolNode(db, dialect, request),
		find: async (nodeId) => (await findNodeRow(db, nodeId))?.record,
		async listOf(userId) {
			const rows = await nodeQuery(db)
				.where('nodes.user_id', '=', userId)
				.where('nodes.revoked_at', 'is', null)
				.orderBy('nodes.name')
				.execute()
			return rows.map(rowToNode)
		},
		async rename(userId, nodeId, name) {
			try {
				return await db.transaction().execute(async (transaction) => {
					const updated = await transaction
						.updateTable('nodes')
						.set({ name })
						.where('id', '=', nodeId)
						.where('user_id', '=', userId)
						.where('revoked_at', 'is', null)
						.executeTakeFirst()
					if (updated.numUpdatedRows === 0n) return 'not_found'
					await addEvent(transaction, dialect, 'node_changed', nodeId)
					return 'renamed'
				})
			} catch (failure) {
				if (isUniqueViolation(failure)) return 'name_taken'
				throw failure
			}
		},
		async remove(userId, nodeId) {
			return await db.transaction().execute(async (transaction) => {
				const updated = await transaction
					.updateTable('nodes')
					.set({ revoked_at: dialect.now, connected: 0 })
					.where('id', '=', nodeId)
					.where('user_id', '=', userId)
					.where('revoked_at', 'is', null)
					.executeTakeFirst()
				if (updated.numUpdatedRows === 0n) return false
				await addEvent(transaction, dialect, 'node', nodeId)
				await addEvent(transaction, dialect, 'node_changed', nodeId)
				return true
			})
		},
		async markConnected(nodeId, hello) {
			await db
				.updateTable('nodes')
				.set({
					connected: 1,
					connected_at: dialect.now,
					last_seen_at: dialect.now,
					stopped_cleanly: 0,
					hostname: hello.hostname,
					os: hello.os,
					agent_version: hello.agentVersion,
				})
				.where('id', '=', nodeId)
				.execute()
		},
		async markDisconnected(nodeId, stoppedCleanly) {
			await db
				.updateTable('nodes')
				.set({ connected: 0, last_seen_at: dialect.now, stopped_cleanly: stoppedCleanly ? 1 : 0 })
				.where('id', '=', nodeId)
				.execute()
		},
		async resetConnected() {
			// The last commit of the relay that died is the latest time at which the node was surely there.
			await db
				.updateTable('nodes')
				.set({ connected: 0, last_seen_at: sql<number>`coalesce(last_seen_at, connected_at)` })
				.where('connected', '=', 1)
				.execute()
		},
	}
}
