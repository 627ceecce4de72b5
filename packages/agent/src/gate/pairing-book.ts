import { randomBytes } from 'node:crypto'
import type { Capability, DeviceId, DeviceSessionInfo, SessionId } from '@sallyport/protocol'
import { bytesToBase64Url, equalBytes, LIMITS, sessionIdSchema } from '@sallyport/protocol'
import * as v from 'valibot'
import type { Document } from '../state/document.ts'
import type { StoredPairings, StoredSecret, StoredSession } from '../state/pairing-schema.ts'
import { EMPTY_PAIRINGS } from '../state/pairing-schema.ts'

/** What a new session is made of. */
export interface NewSession {
	readonly deviceId: DeviceId
	readonly identityKey: Uint8Array
	readonly deviceName: string
	readonly user: string
	readonly userId: string | undefined
	readonly capabilities: readonly Capability[]
	readonly pairedBy: DeviceSessionInfo['paired_by']
	readonly address: string
	readonly serial: number
	readonly isUnconfirmed?: boolean
}

/** Tells of sessions that ended, so that their links are closed. */
export type SessionEnd = { readonly sessionId: SessionId; readonly reason: 'expired' | 'revoked' | 'replaced' | 'suspended' }

export type Redemption =
	| { readonly kind: 'session'; readonly session: StoredSession; readonly isNew: boolean }
	| { readonly kind: 'refused'; readonly message: string }

const GONE_LIMIT = 1000
const SECRETS_LIMIT = 64
/** Of users and of sessions that the relay had barred, each: the list is on disk, and written by a stranger. */
const SUSPENSIONS_LIMIT = 256

/**
 * What this node knows of devices: sessions, pairing secrets, who is barred. Every change is taken at once in memory, so
 * that of many at the same moment exactly one wins, and each method that must last resolves when the disk has it.
 *
 * One session for each device key: pairing again ends the old one. A device that was cloned with its keys is the same
 * device; whichever connects shares its session, and revoking it stops both.
 */
export class PairingBook {
	readonly #document: Document<StoredPairings>
	readonly #nowMs: () => number
	readonly #onEnd: (end: SessionEnd) => void
	readonly #volatile = new Map<string, StoredSecret>()
	#state: StoredPairings

	constructor(document: Document<StoredPairings>, nowMs: () => number, onEnd: (end: SessionEnd) => void) {
		this.#document = document
		this.#nowMs = nowMs
		this.#onEnd = onEnd
		const stored = document.value ?? EMPTY_PAIRINGS
		// A pairing that was never confirmed does not outlive the process that was asked for it.
		this.#state = { ...stored, sessions: stored.sessions.filter((session) => session.unconfirmed !== true) }
	}

	/** Wall time that never goes back, not even over restarts. */
	now(): number {
		const now = Math.max(this.#nowMs(), this.#state.highest_ms)
		if (now > this.#state.highest_ms) this.#state = { ...this.#state, highest_ms: now }
		return now
	}

	get epoch(): number {
		return this.#state.epoch
	}

	get sessions(): readonly StoredSession[] {
		const now = this.now()
		return this.#state.sessions.filter((session) => expiryOf(session) > now)
	}

	find(sessionId: SessionId): StoredSession | 'unknown' | 'expired' | 'revoked' {
		const session = this.#state.sessions.find((candidate) => candidate.session_id === sessionId)
		if (session !== undefined) return expiryOf(session) > this.now() ? session : 'expired'
		return this.#state.gone.find((entry) => entry.session_id === sessionId)?.reason ?? 'unknown'
	}

	isSuspended(session: StoredSession): boolean {
		const { suspended_users: users, suspended_sessions: sessions } = this.#state
		return sessions.includes(session.session_id) || (session.user_id !== undefined && users.includes(session.user_id))
	}

	get suspensions(): { readonly users: readonly string[]; readonly sessions: readonly SessionId[] } {
		return { users: this.#state.suspended_users, sessions: this.#state.suspended_sessions }
	}

	async createSession(made: NewSession): Promise<StoredSession> {
		const session = this.#put(made)
		await this.#save()
		return session
	}

	async confirm(sessionId: SessionId): Promise<void> {
		this.#change(sessionId, ({ unconfirmed: _, ...session }) => session)
		await this.#save()
	}

	/** Notes that a device is here; the disk hears of it hourly, since a lost touch costs at most that. */
	async touch(sessionId: SessionId, address: string, serial: number): Promise<void> {
		const session = this.find(sessionId)
		if (typeof session === 'string') return
		const now = this.now()
		const isDue = now - session.last_seen_at >= LIMITS.sessionTouchMs || session.address !== address || serial > session.serial
		if (!isDue) return
		this.#change(sessionId, (known) => ({ ...known, last_seen_at: now, address, serial: Math.max(serial, known.serial) }))
		await this.#save()
	}

	/** Ends a session for good; false when there is none. */
	async revoke(sessionId: SessionId, reason: 'revoked' | 'replaced' = 'revoked'): Promise<boolean> {
		if (!this.#state.sessions.some((session) => session.session_id === sessionId)) return false
		this.#drop([sessionId], 'revoked')
		this.#onEnd({ sessionId, reason })
		await this.#save()
		return true
	}

	/** Drops what has expired. */
	async expire(): Promise<void> {
		const now = this.now()
		const over = this.#state.sessions.filter((session) => expiryOf(session) <= now).map((session) => session.session_id)
		const secrets = this.#state.secrets.filter((secret) => secret.expires_at > now)
		for (const [id, secret] of this.#volatile) if (secret.expires_at <= now) this.#volatile.delete(id)
		if (over.length === 0 && secrets.length === this.#state.secrets.length) return
		this.#state = { ...this.#state, secrets }
		this.#drop(over, 'expired')
		for (const sessionId of over) this.#onEnd({ sessionId, reason: 'expired' })
		await this.#save()
	}

	/** Bars a user or a session until `lift`: the one thing that a relay may ask, since it is only ever less. */
	async suspend(who: { readonly userId?: string; readonly sessionId?: SessionId }): Promise<void> {
		const before = this.#state
		this.#state = {
			...before,
			suspended_users: withItem(before.suspended_users, who.userId),
			suspended_sessions: withItem(before.suspended_sessions, who.sessionId),
		}
		for (const session of this.#state.sessions) {
			if (this.isSuspended(session)) this.#onEnd({ sessionId: session.session_id, reason: 'suspended' })
		}
		await this.#save()
	}

	async lift(): Promise<void> {
		this.#state = { ...this.#state, suspended_users: [], suspended_sessions: [] }
		await this.#save()
	}

	/** Keeps a secret; a volatile one ends with this process. */
	async addSecret(secret: StoredSecret, options: { readonly isVolatile: boolean }): Promise<void> {
		if (options.isVolatile) {
			this.#volatile.set(secret.secret_id, secret)
			return
		}
		const others = this.#state.secrets.filter((known) => known.secret_id !== secret.secret_id)
		this.#state = { ...this.#state, secrets: [...others, secret].slice(-SECRETS_LIMIT) }
		await this.#save()
	}

	findSecret(secretId: string): StoredSecret | undefined {
		const found = this.#volatile.get(secretId) ?? this.#state.secrets.find((secret) => secret.secret_id === secretId)
		return found !== undefined && found.expires_at > this.now() ? found : undefined
	}

	/** Binds a secret to the first device that proves it, and makes its session. The same device may come again. */
	async redeem(
		secretId: string,
		made: Omit<NewSession, 'user' | 'capabilities' | 'pairedBy'> & { readonly user?: string },
	): Promise<Redemption> {
		const secret = this.findSecret(secretId)
		if (secret === undefined) return refused('this secret was used or has expired; make a new one')
		if (secret.device_key !== undefined && !equalBytes(secret.device_key, made.identityKey)) {
			return refused('this join was made for another device')
		}
		if (secret.bound !== undefined) {
			const session = this.find(secret.bound.session_id)
			if (!equalBytes(secret.bound.identity_key, made.identityKey) || typeof session === 'string') {
				return refused('this secret was used by another device; make a new one')
			}
			await this.#save()
			return { kind: 'session', session, isNew: false }
		}
		const session = this.#put({
			...made,
			user: made.user ?? secret.user,
			capabilities: secret.capabilities,
			pairedBy: secret.kind,
		})
		this.#putSecret({ ...secret, bound: { identity_key: made.identityKey, session_id: session.session_id } })
		await this.#save()
		return { kind: 'session', session, isNew: true }
	}

	/** The first `open` of a session ends the secret that made it. */
	async endSecretOf(sessionId: SessionId): Promise<void> {
		for (const [id, secret] of this.#volatile) if (secret.bound?.session_id === sessionId) this.#volatile.delete(id)
		const secrets = this.#state.secrets.filter((secret) => secret.bound?.session_id !== sessionId)
		if (secrets.length === this.#state.secrets.length) return
		this.#state = { ...this.#state, secrets }
		await this.#save()
	}

	async removeSecret(secretId: string): Promise<void> {
		this.#volatile.delete(secretId)
		this.#state = { ...this.#state, secrets: this.#state.secrets.filter((secret) => secret.secret_id !== secretId) }
		await this.#save()
	}

	#put(made: NewSession): StoredSession {
		const now = this.now()
		const old = this.#state.sessions.filter((session) => session.device_id === made.deviceId).map((session) => session.session_id)
		this.#drop(old, 'revoked')
		for (const sessionId of old) this.#onEnd({ sessionId, reason: 'replaced' })
		const session: StoredSession = {
			session_id: newSessionId(),
			device_id: made.deviceId,
			identity_key: made.identityKey,
			device_name: made.deviceName,
			user: made.user,
			...(made.userId === undefined ? {} : { user_id: made.userId }),
			capabilities: [...made.capabilities],
			created_at: now,
			last_seen_at: now,
			paired_by: made.pairedBy,
			address: made.address,
			serial: made.serial,
			...(made.isUnconfirmed === true ? { unconfirmed: true } : {}),
		}
		this.#state = { ...this.#state, sessions: [...this.#state.sessions, session] }
		return session
	}

	#putSecret(secret: StoredSecret): void {
		if (this.#volatile.has(secret.secret_id)) this.#volatile.set(secret.secret_id, secret)
		else {
			const secrets = this.#state.secrets.map((known) => (known.secret_id === secret.secret_id ? secret : known))
			this.#state = { ...this.#state, secrets }
		}
	}

	#drop(sessionIds: readonly SessionId[], reason: 'expired' | 'revoked'): void {
		if (sessionIds.length === 0) return
		const now = this.now()
		this.#state = {
			...this.#state,
			sessions: this.#state.sessions.filter((session) => !sessionIds.includes(session.session_id)),
			gone: [...this.#state.gone, ...sessionIds.map((id) => ({ session_id: id, reason, at: now }))].slice(-GONE_LIMIT),
			epoch: Math.max(this.#state.epoch + 1, now),
		}
	}

	#change(sessionId: SessionId, update: (session: StoredSession) => StoredSession): void {
		const sessions = this.#state.sessions.map((session) => (session.session_id === sessionId ? update(session) : session))
		this.#state = { ...this.#state, sessions }
	}

	#save(): Promise<void> {
		this.now()
		return this.#document.save(this.#state)
	}
}

/** When a session ends if nothing more is heard of its device. */
export function expiryOf(session: StoredSession): number {
	return Math.min(session.last_seen_at + LIMITS.sessionIdleMs, session.created_at + LIMITS.sessionAbsoluteMs)
}

export function sessionInfo(
	session: StoredSession,
	facts: { readonly isConnected: boolean; readonly isCurrent: boolean },
): DeviceSessionInfo {
	return {
		session_id: session.session_id,
		device_id: session.device_id,
		device_name: session.device_name,
		user: session.user,
		capabilities: session.capabilities,
		created_at: session.created_at,
		last_seen_at: session.last_seen_at,
		idle_expires_at: session.last_seen_at + LIMITS.sessionIdleMs,
		absolute_expires_at: session.created_at + LIMITS.sessionAbsoluteMs,
		paired_by: session.paired_by,
		address: session.address,
		connected: facts.isConnected,
		current: facts.isCurrent,
	}
}

function newSessionId(): SessionId {
	return v.parse(sessionIdSchema, bytesToBase64Url(new Uint8Array(randomBytes(16))))
}

function withItem<T>(items: readonly T[], item: T | undefined): T[] {
	// The oldest goes: a relay that asks without end takes back only what it asked for itself.
	return item === undefined || items.includes(item) ? [...items] : [...items, item].slice(-SUSPENSIONS_LIMIT)
}

function refused(message: string): Redemption {
	return { kind: 'refused', message }
}
