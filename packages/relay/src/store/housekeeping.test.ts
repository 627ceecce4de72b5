import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestPostgres } from '@sallyport/testkit/postgres'
import { startPostgres } from '@sallyport/testkit/postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Store } from './store.ts'
import { openStore } from './store.ts'

const DAY_MS = 24 * 60 * 60 * 1000

let postgres: TestPostgres
let folder: string
beforeAll(async () => {
	postgres = await startPostgres()
	folder = mkdtempSync(join(tmpdir(), 'sallyport-clean-'))
}, 60_000)
afterAll(async () => {
	await postgres.stop()
	rmSync(folder, { recursive: true, force: true })
})

async function fill(store: Store): Promise<void> {
	const user = await store.users.add({ email: 'ada@example.org', username: 'Ada', passwordHash: 'hash', roles: ['user'] })
	const ago = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString()
	for (const [id, created_at, expires_at] of [
		['live', ago(1), ago(-6)],
		['idle', ago(9), ago(2)],
		['month-old', ago(31), ago(-6)],
	] as const) {
		const times = { created_at, expires_at, updated_at: created_at }
		await store.db
			.insertInto('auth_sessions')
			.values({ id, user_id: user.id, token: id, ip_address: null, user_agent: null, ...times })
			.execute()
	}
	const ticket = { signInId: 'live', userId: user.id, epoch: user.epoch, ticketHash: 'hash' }
	await store.pageTickets.add({ ...ticket, ticketId: 'live', ttlMs: DAY_MS })
	await store.pageTickets.add({ ...ticket, ticketId: 'old', ttlMs: -DAY_MS })
	const token = { tokenHash: 'hash', name: 'x', userId: user.id, epoch: user.epoch }
	await store.tokens.addEnrol({ ...token, tokenId: 'live', ttlMs: DAY_MS })
	await store.tokens.addEnrol({ ...token, tokenId: 'just-ended', ttlMs: -DAY_MS })
	await store.tokens.addEnrol({ ...token, tokenId: 'long-ended', ttlMs: -8 * DAY_MS })
	await store.tokens.addEnrol({ ...token, tokenId: 'long-ended-with-node', ttlMs: -8 * DAY_MS })
	await store.db
		.insertInto('nodes')
		.values({
			id: 'node',
			user_id: user.id,
			token_id: 'long-ended-with-node',
			name: 'n',
			created_at: 1,
			identity_key: 'k',
		} as never)
		.execute()
	await store.db
		.insertInto('control_events')
		.values(Array.from({ length: 2500 }, (_, index) => ({ id: `event ${index}`, at: 1, kind: 'node' as const, subject: 'node' })))
		.execute()
}

describe.each([
	['SQLite', () => openStore({ kind: 'sqlite', dataDir: folder })],
	['PostgreSQL', () => openStore({ kind: 'postgres', url: postgres.url })],
] as const)('clean-up on %s', (_engine, open) => {
	it('deletes what has ended, in batches, and nothing else', async () => {
		const store = await open()
		await fill(store)
		// Two sign-ins, one ticket, one token, 2,500 events.
		expect(await store.cleanUp()).toBe(2504)
		expect(await store.cleanUp()).toBe(0)
		const ids = async (table: 'auth_sessions' | 'page_tickets' | 'pat_tokens') =>
			(await store.db.selectFrom(table).select('id').orderBy('id').execute()).map((row) => row.id)
		expect(await ids('auth_sessions')).toEqual(['live'])
		expect(await ids('page_tickets')).toEqual(['live'])
		expect(await ids('pat_tokens')).toEqual(['just-ended', 'live', 'long-ended-with-node'])
		await store.close()
	})
})
