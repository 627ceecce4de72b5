import type { CompiledQuery } from 'kysely'
import type { Db } from './dialect.ts'

/** Stands in for the value while the query is compiled; no id looks like it. */
const PLACE = '\u0000place of the value'

/**
 * A query with one text value, compiled once: building it anew costs ten times what the database does. For the checks
 * that stand before every request and socket.
 */
export function compileOnce<Row>(
	db: Db,
	build: (value: string) => { compile(): CompiledQuery<Row> },
): (value: string) => Promise<Row | undefined> {
	const template = build(PLACE).compile()
	return async (value) => {
		const parameters = template.parameters.map((parameter) => (parameter === PLACE ? value : parameter))
		const { rows } = await db.executeQuery<Row>({ ...template, parameters })
		return rows[0]
	}
}
