import type { CloseCode, NodeId } from '@sallyport/protocol'
import { CLOSE } from '@sallyport/protocol'
import type { Principal, Revocation } from '../control-plane.ts'

/** How often expired credentials are looked for: half the second within which their sockets must go. */
const SWEEP_MS = 500
/** How long a revocation is remembered for acts that were judged before it and end after it. */
const MEMORY_MS = 60_000

/** Something that lives no longer than the credential it stands on. */
export interface LedgerEntry {
	readonly principal: Principal
	/** Counted against the sockets that a user may hold. */
	readonly isSocket: boolean
	end(close: CloseCode): void
}

/** Who holds sockets and streams by which credential; ends them with it. */
export class Ledger {
	readonly #entries = new Set<LedgerEntry>()
	readonly #socketsByUser = new Map<string, number>()
	readonly #revokedAtMs = new Map<string, number>()
	readonly #socketsPerUser: number
	readonly #nowMs: () => number
	readonly #timer: NodeJS.Timeout

	constructor(options: { readonly socketsPerUser: number; readonly nowMs: () => number }) {
		this.#socketsPerUser = options.socketsPerUser
		this.#nowMs = options.nowMs
		this.#timer = setInterval(() => this.sweep(), SWEEP_MS)
		this.#timer.unref()
	}

	/** False when the user holds too many sockets; the caller refuses with 4429. */
	add(entry: LedgerEntry): boolean {
		const userId = entry.principal.user.id
		const count = this.#socketsByUser.get(userId) ?? 0
		if (entry.isSocket && count >= this.#socketsPerUser) return false
		this.#entries.add(entry)
		if (entry.isSocket) this.#socketsByUser.set(userId, count + 1)
		return true
	}

	remove(entry: LedgerEntry): void {
		if (!this.#entries.delete(entry) || !entry.isSocket) return
		const userId = entry.principal.user.id
		const left = (this.#socketsByUser.get(userId) ?? 1) - 1
		if (left === 0) this.#socketsByUser.delete(userId)
		else this.#socketsByUser.set(userId, left)
	}

	/** Ends what stands on a credential or user. Nodes are the presence's and the links' to end. */
	handleRevocation(revocation: Revocation): void {
		this.#revokedAtMs.set(`${revocation.kind}:${revocation.id}`, this.#nowMs())
		if (revocation.kind === 'node') return
		for (const entry of [...this.#entries]) {
			const id = revocation.kind === 'user' ? entry.principal.user.id : entry.principal.credentialId
			if (id === revocation.id) this.#endEntry(entry)
		}
	}

	/** Whether what was judged at `sinceMs` has been revoked meanwhile: a revocation may overtake an answer. */
	isRevokedSince(sinceMs: number, principal: Principal | undefined, nodeId?: NodeId): boolean {
		const keys = [
			...(principal === undefined ? [] : [`credential:${principal.credentialId}`, `user:${principal.user.id}`]),
			...(nodeId === undefined ? [] : [`node:${nodeId}`]),
		]
		return keys.some((key) => (this.#revokedAtMs.get(key) ?? -1) >= sinceMs)
	}

	/** Ends what has expired, and forgets old revocations. */
	sweep(): void {
		const now = this.#nowMs()
		for (const entry of [...this.#entries]) if (entry.principal.expiresAtMs <= now) this.#endEntry(entry)
		for (const [key, atMs] of this.#revokedAtMs) if (atMs < now - MEMORY_MS) this.#revokedAtMs.delete(key)
	}

	/** Ends everything with one code: the relay stops. */
	close(close: CloseCode): void {
		clearInterval(this.#timer)
		for (const entry of [...this.#entries]) {
			this.remove(entry)
			entry.end(close)
		}
	}

	#endEntry(entry: LedgerEntry): void {
		this.remove(entry)
		entry.end(CLOSE.credentialExpired)
	}
}
