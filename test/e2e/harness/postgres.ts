import { startPostgres, type TestPostgres } from '../../../packages/testkit/src/postgres/postgres.ts'
import type { Scope } from './scope.ts'

/** A real PostgreSQL for the test file, gone with it. */
export async function usePostgres(scope: Scope): Promise<TestPostgres> {
	const postgres = await startPostgres()
	scope.defer(() => postgres.stop())
	return postgres
}
