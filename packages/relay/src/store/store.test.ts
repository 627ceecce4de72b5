import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeStore } from '@sallyport/conformance/store-suite'
import type { TestPostgres } from '@sallyport/testkit/postgres'
import { startPostgres } from '@sallyport/testkit/postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isUnavailable } from './errors.ts'
import { openStore } from './store.ts'

const folders: string[] = []
const newFolder = () => {
	const folder = mkdtempSync(join(tmpdir(), 'sallyport-store-'))
	folders.push(folder)
	return folder
}
afterAll(() => {
	for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

describeStore('SQLite', { open: () => openStore({ kind: 'sqlite', dataDir: newFolder() }) })

let postgres: TestPostgres
let databases = 0
const newDatabase = () => postgres.createDatabase(`store_${++databases}`)
describe('with PostgreSQL', () => {
	beforeAll(async () => {
		postgres = await startPostgres()
	}, 60_000)
	afterAll(async () => {
		await postgres.stop()
	})

	describeStore('PostgreSQL', { open: () => openStore({ kind: 'postgres', url: newDatabase() }) })

	it('migrates once when five relays start on one empty database at the same time', async () => {
		const url = newDatabase()
		const stores = await Promise.all(Array.from({ length: 5 }, () => openStore({ kind: 'postgres', url })))
		const ids = await Promise.all(stores.map((store) => store.relayId()))
		expect(new Set(ids).size).toBe(1)
		await Promise.all(stores.map((store) => store.close()))
	})

	it('says that the server is away, works again when it is back, and does not crash in between', async () => {
		const store = await openStore({ kind: 'postgres', url: newDatabase() })
		await postgres.halt()
		const failure = await store.ping().then(
			() => 'answered',
			(reason: unknown) => reason,
		)
		expect(isUnavailable(failure)).toBe(true)
		await postgres.restart()
		await expect(store.ping()).resolves.toBeUndefined()
		await store.close()
	})

	it('refuses an address where no server is, without naming the password', async () => {
		const url = 'postgresql://someone:hunter2hunter2@127.0.0.1:1/none'
		const failure = await openStore({ kind: 'postgres', url }).catch((reason: unknown) => reason)
		expect(failure).toMatchObject({ code: 'STORE_UNREACHABLE' })
		expect(String(failure)).toMatch(/check DATABASE_URL/)
		expect(String(failure)).not.toMatch(/hunter2/)
	})
})

describe('a data folder', () => {
	it('is refused to a second relay with a sentence that says what to do, and free again after the first', async () => {
		const dataDir = newFolder()
		const first = await openStore({ kind: 'sqlite', dataDir })
		await expect(openStore({ kind: 'sqlite', dataDir })).rejects.toMatchObject({
			code: 'STORE_IN_USE',
			message: `another relay (process ${process.pid}) is using the data folder ${dataDir}: stop it first, or give this one a folder of its own with DATA_DIR`,
		})
		await first.close()
		const second = await openStore({ kind: 'sqlite', dataDir })
		await second.close()
	})

	it('is free again after its relay was killed', async () => {
		const dataDir = newFolder()
		const script = `import Libsql from 'libsql'; const lock = new Libsql(process.argv[1]); lock.exec('BEGIN EXCLUSIVE'); process.kill(process.pid, 'SIGKILL')`
		expect(() =>
			execFileSync(process.execPath, ['--input-type=module', '-e', script, join(dataDir, 'relay.lock')], {
				cwd: import.meta.dirname,
			}),
		).toThrow()
		const store = await openStore({ kind: 'sqlite', dataDir })
		await store.close()
	})

	it('is made for its user alone, and what was in it is there at the next start', async () => {
		const dataDir = join(newFolder(), 'deep', 'data')
		const first = await openStore({ kind: 'sqlite', dataDir })
		const id = await first.relayId()
		await first.close()
		const second = await openStore({ kind: 'sqlite', dataDir })
		expect(await second.relayId()).toBe(id)
		await second.close()
		expect(statSync(dataDir).mode & 0o777).toBe(0o700)
		expect(statSync(join(dataDir, 'relay.db')).mode & 0o777).toBe(0o600)
	})

	it('that is a file is refused with the reason', async () => {
		const file = join(newFolder(), 'file')
		const store = await openStore({ kind: 'sqlite', dataDir: file })
		await store.close()
		chmodSync(file, 0o700)
		await expect(openStore({ kind: 'sqlite', dataDir: join(file, 'relay.db', 'below') })).rejects.toMatchObject({
			code: 'STORE_NOT_WRITABLE',
		})
	})

	it('written by a newer version is refused', async () => {
		const dataDir = newFolder()
		const store = await openStore({ kind: 'sqlite', dataDir })
		const { sql } = await import('kysely')
		await sql`insert into schema_migrations (id, applied_at) values ('9999-future', 0)`.execute(store.db)
		await store.close()
		await expect(openStore({ kind: 'sqlite', dataDir })).rejects.toMatchObject({ code: 'STORE_TOO_NEW' })
	})
})
