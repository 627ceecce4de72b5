/** What any store of the relay must do, whatever engine is under it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { NewToken, NewUser, StoreContract, User } from './store-contract.ts'

export interface StoreSuiteOptions {
	/** Opens a store on an empty database of its own. */
	open(): Promise<StoreContract>
	setUp?(): Promise<void>
	tearDown?(): Promise<void>
}

const HOUR_MS = 60 * 60 * 1000
const AGENT = { hostname: 'host', os: 'linux', agentVersion: '1.0.0' }

let serial = 0
function unique(prefix: string): string {
	serial++
	return prefix + String(serial).padStart(12 - prefix.length, '0')
}

function nodeIdentity(): { readonly nodeId: string; readonly identityKey: string } {
	serial++
	// Letters that both base32 and base64url hold; 43 of the latter, whose last leaves no bits over, are 32 bytes.
	const digits = [...String(serial)].map((digit) => 'abcdefghij'.charAt(Number(digit))).join('')
	return { nodeId: digits.padEnd(52, 'z'), identityKey: `${digits.padEnd(42, 'z')}A` }
}

const newUser = (): NewUser => {
	const name = unique('user')
	return { email: `${name}@example.org`, username: name, passwordHash: 'hash', roles: ['user'] }
}
const newToken = (ttlMs: number = HOUR_MS): NewToken => ({
	tokenId: unique('t'),
	tokenHash: unique('hash'),
	name: 'a token',
	ttlMs,
})

/** Declares the suite for one implementation. */
export function describeStore(name: string, options: StoreSuiteOptions): void {
	describe(`store on ${name}`, () => {
		let store: StoreContract
		beforeAll(async () => {
			await options.setUp?.()
		}, 60_000)
		afterAll(async () => {
			await options.tearDown?.()
		})
		beforeEach(async () => {
			store = await options.open()
			return () => store.close()
		})

		const addEnrolToken = async (user: User, ttlMs?: number) => {
			const token = newToken(ttlMs)
			await store.tokens.addEnrol({ ...token, userId: user.id, epoch: user.epoch })
			return token
		}
		const addSession = async (user: User, times: { readonly idleMs: number; readonly absoluteMs: number }) => {
			const tokenId = unique('s')
			await store.accessSessions.add({
				tokenId,
				tokenHash: 'hash',
				kind: 'cli',
				userId: user.id,
				epoch: user.epoch,
				deviceName: 'laptop',
				address: '192.0.2.1',
				scopes: ['nodes:read'],
				...times,
			})
			return tokenId
		}
		const enrol = (token: NewToken, name = 'machine', identity = nodeIdentity()) =>
			store.nodes.enrol({ tokenId: token.tokenId, tokenHash: token.tokenHash, name, ...identity, ...AGENT })
		const enrolled = async (token: NewToken, name?: string, identity?: ReturnType<typeof nodeIdentity>) => {
			const result = await enrol(token, name, identity)
			if (result.kind !== 'enrolled') throw new Error(`enrolment answered ${result.kind}`)
			return result.node
		}

		it('keeps the relay id that it made first', async () => {
			const [first, ...others] = await Promise.all([store.relayId(), store.relayId(), store.relayId()])
			expect(first).toMatch(/^[A-Za-z0-9_-]{22}$/)
			expect(others).toEqual([first, first])
		})

		it('answers a ping', async () => {
			await expect(store.ping()).resolves.toBeUndefined()
		})

		describe('owner', () => {
			it('is made once when twenty ask at the same time, and gets token and node', async () => {
				const setup = newToken()
				await store.tokens.replaceSetup(setup)
				const node = await enrolled(setup)
				expect(node.owner).toBeUndefined()
				const results = await Promise.all(Array.from({ length: 20 }, () => store.users.createOwner(newUser(), setup.tokenId)))
				const created = results.filter((result) => result.kind === 'created')
				expect(created).toHaveLength(1)
				expect(results.filter((result) => result.kind === 'exists')).toHaveLength(19)
				expect(created[0]).toMatchObject({ nodeId: node.id })
				expect(await store.users.ownerExists()).toBe(true)
				const owned = await store.nodes.find(node.id)
				expect(owned?.owner?.id).toBe(created[0]?.kind === 'created' ? created[0].user.id : 'nobody')
			})

			it('is not made by the set-up token of an earlier start, and nothing is left of the try', async () => {
				const [old, current] = [newToken(), newToken()]
				await store.tokens.replaceSetup(old)
				await store.tokens.replaceSetup(current)
				const user = newUser()
				expect(await store.users.createOwner(user, old.tokenId)).toEqual({ kind: 'stale' })
				expect(await store.users.ownerExists()).toBe(false)
				expect(await store.users.findLogin(user.email)).toBeUndefined()
				expect(await enrol(old)).toEqual({ kind: 'token_invalid' })
				expect(await store.users.createOwner(user, current.tokenId)).toMatchObject({ kind: 'created' })
			})

			it('gets a machine that enrols with the set-up token after set-up', async () => {
				const setup = newToken()
				await store.tokens.replaceSetup(setup)
				const owner = await store.users.createOwner(newUser(), setup.tokenId)
				const node = await enrolled(setup)
				expect(owner).toMatchObject({ kind: 'created', user: { id: node.owner?.id } })
			})
		})

		describe('users', () => {
			it('are found by e-mail with their password hash, and refused a second time', async () => {
				const user = newUser()
				const added = await store.users.add(user)
				expect(await store.users.findLogin(user.email)).toEqual({ user: added, passwordHash: 'hash' })
				await expect(store.users.add(user)).rejects.toThrow()
			})

			it('lose every session and token when the password changes, also those made from what was checked before', async () => {
				const user = await store.users.add(newUser())
				const session = await addSession(user, { idleMs: HOUR_MS, absoluteMs: HOUR_MS })
				const pat = newToken()
				await store.tokens.addPat({ ...pat, userId: user.id, epoch: user.epoch, scopes: ['nodes:enrol'] })
				const enrolToken = await addEnrolToken(user)
				await store.users.changePassword(user.id, 'new hash')
				const late = await addSession(user, { idleMs: HOUR_MS, absoluteMs: HOUR_MS })
				expect(await store.credentials.findAccessSession(session)).toBeUndefined()
				expect(await store.credentials.findAccessSession(late)).toBeUndefined()
				expect(await store.credentials.findPat(pat.tokenId)).toBeUndefined()
				expect(await enrol(pat)).toEqual({ kind: 'token_invalid' })
				expect(await enrol(enrolToken)).toEqual({ kind: 'token_invalid' })
				expect((await store.users.findLogin(user.email))?.passwordHash).toBe('new hash')
				expect(await store.events.recent(HOUR_MS)).toContainEqual(expect.objectContaining({ kind: 'user', subject: user.id }))
			})

			it('can do nothing once disabled', async () => {
				const user = await store.users.add(newUser())
				const session = await addSession(user, { idleMs: HOUR_MS, absoluteMs: HOUR_MS })
				await store.users.disable(user.id)
				expect(await store.users.findLogin(user.email)).toBeUndefined()
				expect(await store.credentials.findAccessSession(session)).toBeUndefined()
				expect(await store.credentials.isLive('cli', session)).toBe(false)
			})

			it('take a new name', async () => {
				const user = await store.users.add(newUser())
				expect(await store.users.rename(user.id, 'Ada')).toEqual({ ...user, username: 'Ada' })
			})
		})

		describe('access sessions', () => {
			it('end idle, end absolutely, and end by revocation', async () => {
				const user = await store.users.add(newUser())
				const good = await addSession(user, { idleMs: HOUR_MS, absoluteMs: HOUR_MS })
				const idle = await addSession(user, { idleMs: -1, absoluteMs: HOUR_MS })
				const old = await addSession(user, { idleMs: HOUR_MS, absoluteMs: -1 })
				expect(await store.credentials.findAccessSession(good)).toMatchObject({ credentialId: good, user })
				expect(await store.credentials.findAccessSession(idle)).toBeUndefined()
				expect(await store.credentials.findAccessSession(old)).toBeUndefined()
				expect((await store.accessSessions.list(user.id)).map((session) => session.id)).toEqual([good])
				expect(await store.accessSessions.revoke(user.id, good)).toBe(true)
				expect(await store.accessSessions.revoke(user.id, good)).toBe(false)
				expect(await store.credentials.findAccessSession(good)).toBeUndefined()
				expect(await store.events.recent(HOUR_MS)).toContainEqual(expect.objectContaining({ kind: 'credential', subject: good }))
			})

			it('stay revoked when a refresh comes at the same time', async () => {
				const user = await store.users.add(newUser())
				const session = await addSession(user, { idleMs: HOUR_MS, absoluteMs: HOUR_MS })
				await Promise.all([
					store.accessSessions.touch(session, 2 * HOUR_MS),
					store.accessSessions.revoke(user.id, session),
					store.accessSessions.touch(session, 2 * HOUR_MS),
				])
				expect(await store.credentials.findAccessSession(session)).toBeUndefined()
			})

			it('of another user can not be revoked', async () => {
				const [user, other] = [await store.users.add(newUser()), await store.users.add(newUser())]
				const session = await addSession(user, { idleMs: HOUR_MS, absoluteMs: HOUR_MS })
				expect(await store.accessSessions.revoke(other.id, session)).toBe(false)
				expect(await store.credentials.isLive('cli', session)).toBe(true)
			})

			it('that ended are deleted, and no live one is', async () => {
				const user = await store.users.add(newUser())
				const good = await addSession(user, { idleMs: HOUR_MS, absoluteMs: HOUR_MS })
				await addSession(user, { idleMs: -8 * 24 * HOUR_MS, absoluteMs: -8 * 24 * HOUR_MS })
				expect(await store.cleanUp()).toBe(1)
				expect(await store.cleanUp()).toBe(0)
				expect(await store.credentials.isLive('cli', good)).toBe(true)
			})
		})

		describe('enrolment', () => {
			it('gives one of twenty machines that use one token at the same time', async () => {
				const token = await addEnrolToken(await store.users.add(newUser()))
				const results = await Promise.all(Array.from({ length: 20 }, () => enrol(token)))
				expect(results.filter((result) => result.kind === 'enrolled')).toHaveLength(1)
				expect(results.filter((result) => result.kind === 'token_invalid')).toHaveLength(19)
			})

			it('answers the same machine the same when it repeats, twenty times at once', async () => {
				const token = await addEnrolToken(await store.users.add(newUser()))
				const identity = nodeIdentity()
				const nodes = await Promise.all(Array.from({ length: 20 }, () => enrolled(token, 'machine', identity)))
				expect(new Set(nodes.map((node) => `${node.id} ${node.name}`)).size).toBe(1)
			})

			it('is refused with a token that is unknown, expired, revoked, or right but for its secret', async () => {
				const user = await store.users.add(newUser())
				const revoked = await addEnrolToken(user)
				expect(await store.tokens.revoke(user.id, 'enrol', revoked.tokenId)).toBe(true)
				const forged = { ...(await addEnrolToken(user)), tokenHash: 'another' }
				for (const token of [newToken(), await addEnrolToken(user, -1), revoked, forged]) {
					expect(await enrol(token)).toEqual({ kind: 'token_invalid' })
				}
				expect(await store.nodes.listOf(user.id)).toEqual([])
			})

			it('takes many machines by one access token with the scope, at once, each with a name of its own', async () => {
				const user = await store.users.add(newUser())
				const pat = newToken()
				await store.tokens.addPat({ ...pat, userId: user.id, epoch: user.epoch, scopes: ['nodes:enrol'] })
				const nodes = await Promise.all(Array.from({ length: 5 }, () => enrolled(pat, 'web')))
				expect(nodes.map((node) => node.name).sort()).toEqual(['web', 'web-2', 'web-3', 'web-4', 'web-5'])
			})

			it('is refused to an access token without the scope', async () => {
				const user = await store.users.add(newUser())
				const pat = newToken()
				await store.tokens.addPat({ ...pat, userId: user.id, epoch: user.epoch, scopes: ['nodes:read', 'nodes:open'] })
				expect(await enrol(pat)).toEqual({ kind: 'token_invalid' })
			})

			it('does not take a machine from another user, and takes one that its owner removed', async () => {
				const [ada, bob] = [await store.users.add(newUser()), await store.users.add(newUser())]
				const identity = nodeIdentity()
				const node = await enrolled(await addEnrolToken(ada), 'machine', identity)
				const token = await addEnrolToken(bob)
				expect(await enrol(token, 'machine', identity)).toEqual({ kind: 'foreign' })
				expect(await store.nodes.remove(ada.id, node.id)).toBe(true)
				const again = await enrolled(token, 'machine', identity)
				expect([again.owner?.id, again.connectedAtMs, again.lastSeenAtMs]).toEqual([bob.id, undefined, undefined])
			})

			it('is not repeated by a token whose machine was removed', async () => {
				const user = await store.users.add(newUser())
				const token = await addEnrolToken(user)
				const identity = nodeIdentity()
				const node = await enrolled(token, 'machine', identity)
				await store.nodes.remove(user.id, node.id)
				expect(await enrol(token, 'machine', identity)).toEqual({ kind: 'token_invalid' })
				expect(await store.nodes.find(node.id)).toBeUndefined()
			})
		})

		describe('nodes', () => {
			it('belong to their user alone', async () => {
				const [ada, bob] = [await store.users.add(newUser()), await store.users.add(newUser())]
				const node = await enrolled(await addEnrolToken(ada))
				expect((await store.nodes.listOf(ada.id)).map((each) => each.id)).toEqual([node.id])
				expect(await store.nodes.listOf(bob.id)).toEqual([])
				expect(await store.nodes.rename(bob.id, node.id, 'mine')).toBe('not_found')
				expect(await store.nodes.remove(bob.id, node.id)).toBe(false)
			})

			it('keep names apart within one owner, and free them when removed', async () => {
				const user = await store.users.add(newUser())
				const first = await enrolled(await addEnrolToken(user))
				const second = await enrolled(await addEnrolToken(user))
				expect(second.name).toBe('machine-2')
				expect(await store.nodes.rename(user.id, second.id, 'machine')).toBe('name_taken')
				await store.nodes.remove(user.id, first.id)
				expect(await store.nodes.rename(user.id, second.id, 'machine')).toBe('renamed')
				expect(await store.nodes.find(first.id)).toBeUndefined()
				const events = await store.events.recent(HOUR_MS)
				expect(events).toContainEqual(expect.objectContaining({ kind: 'node', subject: first.id }))
				expect(events).toContainEqual(expect.objectContaining({ kind: 'node_changed', subject: second.id }))
			})

			it('remember when they came and how they left', async () => {
				const user = await store.users.add(newUser())
				const token = await addEnrolToken(user)
				const node = await enrolled(token)
				expect(node.enrolTokenId).toBe(token.tokenId)
				await store.nodes.markConnected(node.id, { ...AGENT, hostname: 'renamed-host' })
				await store.nodes.markDisconnected(node.id, true)
				const seen = await store.nodes.find(node.id)
				expect(seen).toMatchObject({ hostname: 'renamed-host', stoppedCleanly: true })
				expect(seen?.lastSeenAtMs).toBeGreaterThanOrEqual(seen?.connectedAtMs ?? Number.POSITIVE_INFINITY)
			})
		})

		describe('personal access tokens', () => {
			it('are listed and found until revoked, by their user alone', async () => {
				const [ada, bob] = [await store.users.add(newUser()), await store.users.add(newUser())]
				const pat = newToken()
				await store.tokens.addPat({ ...pat, userId: ada.id, epoch: ada.epoch, scopes: ['nodes:read'] })
				expect(await store.credentials.findPat(pat.tokenId)).toMatchObject({ tokenHash: pat.tokenHash, scopes: ['nodes:read'] })
				expect(await store.tokens.revoke(bob.id, 'pat', pat.tokenId)).toBe(false)
				expect(await store.tokens.listPats(ada.id)).toHaveLength(1)
				expect(await store.tokens.revoke(ada.id, 'pat', pat.tokenId)).toBe(true)
				expect(await store.tokens.listPats(ada.id)).toEqual([])
				expect(await store.credentials.findPat(pat.tokenId)).toBeUndefined()
			})

			it('end on their day', async () => {
				const user = await store.users.add(newUser())
				const pat = newToken(-1)
				await store.tokens.addPat({ ...pat, userId: user.id, epoch: user.epoch, scopes: ['nodes:read'] })
				expect(await store.credentials.findPat(pat.tokenId)).toBeUndefined()
				expect(await store.tokens.listPats(user.id)).toEqual([])
			})
		})
	})
}
