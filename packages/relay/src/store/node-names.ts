import type { Db } from './dialect.ts'

const MAX_NAME_LENGTH = 128

/** The wanted name, or the first of `name-2`, `name-3`, … that the owner doesn't use yet. */
export async function freeName(db: Db, userId: string | null, wanted: string, exceptNodeId?: string): Promise<string> {
	if (userId === null) return wanted
	let query = db.selectFrom('nodes').select('name').where('user_id', '=', userId).where('revoked_at', 'is', null)
	if (exceptNodeId !== undefined) query = query.where('id', '!=', exceptNodeId)
	const taken = new Set((await query.execute()).map((row) => row.name))
	return firstFree(wanted, taken)
}

export function firstFree(wanted: string, taken: ReadonlySet<string>): string {
	if (!taken.has(wanted)) return wanted
	for (let number = 2; ; number++) {
		const suffix = `-${number}`
		const name = wanted.slice(0, MAX_NAME_LENGTH - suffix.length) + suffix
		if (!taken.has(name)) return name
	}
}
