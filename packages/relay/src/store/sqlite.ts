/** SQLite in the data folder, through libsql: one process, its own lock, every commit on disk before it is answered. */
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Kysely, SqliteDialect } from 'kysely'
import Libsql from 'libsql'
import { LRUCache } from 'lru-cache'
import { StoreError } from './errors.ts'
import type { Database } from './schema.ts'

/** libsql frees a statement only when it is collected; without reuse memory grows five-fold under load. */
const CACHED_STATEMENTS = 256

export interface OpenSqlite {
	readonly db: Kysely<Database>
	/** Gives up the lock; the caller has destroyed `db`. */
	release(): void
}

/**
 * Opens `relay.db` in the folder, which is made if it isn't there (0700). Throws `STORE_IN_USE` while another process
 * has it and `STORE_NOT_WRITABLE` when the folder or the file can't be written.
 */
export function openSqlite(dataDir: string): OpenSqlite {
	const file = join(dataDir, 'relay.db')
	try {
		mkdirSync(dataDir, { recursive: true, mode: 0o700 })
		// Made by us rather than by the engine, so that nobody else may read it from the first byte on.
		closeSync(openSync(file, 'a', 0o600))
	} catch (cause) {
		throw notWritable(dataDir, cause)
	}
	const lock = takeLock(dataDir)
	try {
		const database = new Libsql(file)
		database.pragma('journal_mode = WAL')
		database.pragma('synchronous = FULL')
		database.pragma('foreign_keys = ON')
		database.pragma('busy_timeout = 5000')
		const db = new Kysely<Database>({ dialect: new SqliteDialect({ database: withStatementCache(database) }) })
		return { db, release: () => releaseLock(lock) }
	} catch (cause) {
		releaseLock(lock)
		throw notWritable(dataDir, cause)
	}
}

/** libsql closes the file only when its statements are collected, so the lock is given up by ending its transaction. */
function releaseLock(lock: Libsql.Database): void {
	lock.exec('ROLLBACK')
	lock.close()
}

/**
 * A lock that the kernel drops when the process dies, however it dies: an open exclusive transaction on a file of its
 * own. The process number beside it only makes the refusal easier to act on.
 */
function takeLock(dataDir: string): Libsql.Database {
	const pidFile = join(dataDir, 'relay.pid')
	let lock: Libsql.Database | undefined
	try {
		closeSync(openSync(join(dataDir, 'relay.lock'), 'a', 0o600))
		lock = new Libsql(join(dataDir, 'relay.lock'))
		lock.pragma('busy_timeout = 0')
		lock.exec('BEGIN EXCLUSIVE')
		writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 })
		return lock
	} catch (cause) {
		lock?.close()
		if (!(cause instanceof Error && 'code' in cause && cause.code === 'SQLITE_BUSY')) throw notWritable(dataDir, cause)
		throw new StoreError(
			'STORE_IN_USE',
			`another relay${holder(pidFile)} is using the data folder ${dataDir}: stop it first, or give this one a folder of its own with DATA_DIR`,
			{ cause },
		)
	}
}

function holder(pidFile: string): string {
	try {
		const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10)
		return Number.isSafeInteger(pid) ? ` (process ${pid})` : ''
	} catch {
		// The number is a courtesy: the refusal stands without it.
		return ''
	}
}

function notWritable(dataDir: string, cause: unknown): StoreError {
	const reason = cause instanceof Error ? cause.message : String(cause)
	return new StoreError(
		'STORE_NOT_WRITABLE',
		`the data folder ${dataDir} can't be used (${reason}): check its owner and permissions, or name another one with DATA_DIR`,
		{ cause },
	)
}

type Statement = Libsql.Statement<unknown[]>

function withStatementCache(database: Libsql.Database) {
	const statements = new LRUCache<string, Statement>({ max: CACHED_STATEMENTS })
	return {
		prepare(text: string) {
			const known = statements.get(text)
			const statement = known ?? database.prepare<unknown[]>(text)
			if (known === undefined) statements.set(text, statement)
			return {
				reader: statement.reader,
				all: (parameters: readonly unknown[]) => statement.all(...parameters),
				run: (parameters: readonly unknown[]) => statement.run(...parameters),
				// A cursor lives on after this call, so it gets a statement that nobody else steps.
				iterate: (parameters: readonly unknown[]) => database.prepare<unknown[]>(text).iterate(...parameters),
			}
		},
		close() {
			statements.clear()
			database.close()
		},
	}
}
