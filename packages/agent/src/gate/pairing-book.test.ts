import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPrivateDirectory } from '@sallyport/carrier/node'
import { deviceIdFromHash, LIMITS, silentLogger } from '@sallyport/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDocument } from '../state/document.ts'
import { pairingsSchema } from '../state/pairing-schema.ts'
import type { NewSession, SessionEnd } from './pairing-book.ts'
import { PairingBook } from './pairing-book.ts'

const DAY = 86_400_000
let folder: string
let now: number
let ends: SessionEnd[]
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'sally-book-'))
	now = Date.UTC(2026, 0, 1)
	ends = []
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function openBook(): Promise<PairingBook> {
	const directory = await openPrivateDirectory(folder)
	const document = await openDocument({
		directory,
		name: 'pairings',
		schema: pairingsSchema,
		log: silentLogger,
		onCorrupt: 'start_empty',
		title: 'pairings',
	})
	return new PairingBook(
		document,
		() => now,
		(end) => ends.push(end),
	)
}

function device(number: number): NewSession {
	const key = new Uint8Array(32).fill(number)
	return {
		deviceId: deviceIdFromHash(key),
		identityKey: key,
		deviceName: `device ${number}`,
		user: 'ada',
		userId: 'user-ada-1',
		capabilities: ['shell'],
		pairedBy: 'invite',
		address: '192.0.2.1',
		serial: 1,
	}
}

const invite = (id = 'invite-1', ms = 600_000) =>
	({
		secret_id: id,
		kind: 'invite',
		secret: new Uint8Array(32).fill(7),
		user: 'local',
		capabilities: ['shell'],
		expires_at: now + ms,
	}) as const
const stored = (id = 'invite-1') => ({ ...invite(id), capabilities: ['shell' as const] })

describe('device sessions', () => {
	it('end after 7 idle days, and slide with use', async () => {
		const book = await openBook()
		const session = await book.createSession(device(1))
		now += 6 * DAY
		await book.touch(session.session_id, 'x', 1)
		now += 6 * DAY
		expect(book.find(session.session_id)).toMatchObject({ session_id: session.session_id })
		now += 2 * DAY
		expect(book.find(session.session_id)).toBe('expired')
	})

	it('end on day 90 however often they were used', async () => {
		const book = await openBook()
		const session = await book.createSession(device(1))
		for (let day = 0; day < 89; day++) {
			now += DAY
			await book.touch(session.session_id, 'x', 1)
		}
		expect(typeof book.find(session.session_id)).toBe('object')
		now += DAY + 1
		expect(book.find(session.session_id)).toBe('expired')
		await book.expire()
		expect(ends).toEqual([{ sessionId: session.session_id, reason: 'expired' }])
	})

	it('are not prolonged by a clock that is set back, not even over a restart', async () => {
		const book = await openBook()
		const session = await book.createSession(device(1))
		now += 8 * DAY
		expect(book.find(session.session_id)).toBe('expired')
		await book.expire()
		now -= 8 * DAY
		expect(book.find(session.session_id)).toBe('expired')
		expect((await openBook()).find(session.session_id)).toBe('expired')
		const other = await (await openBook()).createSession(device(2))
		expect(other.created_at).toBe(now + 8 * DAY)
	})

	it('are told apart as unknown, revoked and expired, after a restart too; epochs never fall', async () => {
		const book = await openBook()
		const session = await book.createSession(device(1))
		const epoch = book.epoch
		expect(await book.revoke(session.session_id)).toBe(true)
		expect(await book.revoke(session.session_id)).toBe(false)
		expect(ends).toEqual([{ sessionId: session.session_id, reason: 'revoked' }])
		now -= 3 * DAY
		const again = await openBook()
		expect(again.find(session.session_id)).toBe('revoked')
		expect(again.epoch).toBeGreaterThan(epoch)
		const other = await again.createSession(device(2))
		const before = again.epoch
		await again.revoke(other.session_id)
		expect(again.epoch).toBeGreaterThan(before)
	})

	it('are one for each device: pairing again ends the older one', async () => {
		const book = await openBook()
		const first = await book.createSession(device(1))
		const second = await book.createSession(device(1))
		expect(book.sessions.map((session) => session.session_id)).toEqual([second.session_id])
		expect(ends).toEqual([{ sessionId: first.session_id, reason: 'replaced' }])
		await book.createSession(device(2))
		expect(book.sessions).toHaveLength(2)
	})

	it('of an approval that was never confirmed do not outlive the process', async () => {
		const book = await openBook()
		const lost = await book.createSession({ ...device(1), isUnconfirmed: true })
		const kept = await book.createSession({ ...device(2), isUnconfirmed: true })
		await book.confirm(kept.session_id)
		const again = await openBook()
		expect(again.find(lost.session_id)).toBe('unknown')
		expect(again.find(kept.session_id)).toMatchObject({ device_name: 'device 2' })
	})

	it('are barred by a suspension until it is lifted, over restarts', async () => {
		const book = await openBook()
		const session = await book.createSession(device(1))
		await book.suspend({ userId: 'user-ada-1' })
		expect(ends).toEqual([{ sessionId: session.session_id, reason: 'suspended' }])
		const again = await openBook()
		const found = again.find(session.session_id)
		if (typeof found === 'string') throw new Error('it is suspended, not gone')
		expect(again.isSuspended(found)).toBe(true)
		await again.lift()
		expect(again.isSuspended(found)).toBe(false)
	})
})

describe('pairing secrets', () => {
	it('used by twenty at once let exactly one in', async () => {
		const book = await openBook()
		await book.addSecret(stored(), { isVolatile: false })
		const results = await Promise.all(Array.from({ length: 20 }, (_, index) => book.redeem('invite-1', device(index + 1))))
		expect(results.filter((result) => result.kind === 'session')).toHaveLength(1)
		expect(book.sessions).toHaveLength(1)
	})

	it('give the same device the same session until its first open', async () => {
		const book = await openBook()
		await book.addSecret(stored(), { isVolatile: false })
		const first = await book.redeem('invite-1', device(1))
		// A crash after the pairing: the binding was on disk before the answer.
		const again = await openBook()
		const second = await again.redeem('invite-1', device(1))
		expect(first).toMatchObject({ kind: 'session', isNew: true })
		expect(second).toMatchObject({ kind: 'session', isNew: false })
		if (first.kind !== 'session' || second.kind !== 'session') throw new Error('both are sessions')
		expect(second.session.session_id).toBe(first.session.session_id)
		await again.endSecretOf(first.session.session_id)
		expect(await again.redeem('invite-1', device(1))).toMatchObject({ kind: 'refused' })
		expect(again.findSecret('invite-1')).toBeUndefined()
	})

	it('of a join are for the one device that made it', async () => {
		const book = await openBook()
		await book.addSecret({ ...stored(), kind: 'join', device_key: device(1).identityKey }, { isVolatile: false })
		expect(await book.redeem('invite-1', device(2))).toMatchObject({
			kind: 'refused',
			message: expect.stringContaining('another device'),
		})
		expect(await book.redeem('invite-1', device(1))).toMatchObject({ kind: 'session' })
	})

	it('expire', async () => {
		const book = await openBook()
		await book.addSecret(stored(), { isVolatile: false })
		now += LIMITS.inviteMs + 1
		expect(book.findSecret('invite-1')).toBeUndefined()
		expect(await book.redeem('invite-1', device(1))).toMatchObject({ kind: 'refused' })
	})

	it('that live as long as the process are never on disk', async () => {
		const book = await openBook()
		await book.addSecret({ ...stored('volatile'), secret: new Uint8Array(32).fill(66) }, { isVolatile: true })
		expect(await book.redeem('volatile', device(1))).toMatchObject({ kind: 'session' })
		expect(await readFile(join(folder, 'pairings'), 'utf8')).not.toContain('volatile')
		const again = await openBook()
		expect(again.findSecret('volatile')).toBeUndefined()
		expect(again.sessions).toHaveLength(1)
	})
})
