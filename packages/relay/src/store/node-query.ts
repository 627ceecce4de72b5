import type { NodeId } from '@sallyport/protocol'
import type { NodeRecord } from '../control-plane.ts'
import type { Db } from './dialect.ts'
import { rowToNode } from './records.ts'
import type { NodeRow } from './schema.ts'

export async function findNodeRow(
	db: Db,
	nodeId: NodeId,
	options: { readonly revokedToo: boolean } = { revokedToo: false },
): Promise<(NodeRow & { readonly record: NodeRecord }) | undefined> {
	let query = nodeQuery(db).where('nodes.id', '=', nodeId)
	if (!options.revokedToo) query = query.where('nodes.revoked_at', 'is', null)
	const row = await query.executeTakeFirst()
	return row === undefined ? undefined : { ...row, record: rowToNode(row) }
}

/** Nodes with the name of their owner. */
export function nodeQuery(db: Db) {
	return db
		.selectFrom('nodes')
		.leftJoin('users', 'users.id', 'nodes.user_id')
		.selectAll('nodes')
		.select('users.username as owner_username')
}
