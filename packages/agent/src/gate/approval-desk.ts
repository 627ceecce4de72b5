import { randomBytes } from 'node:crypto'
import type { Clock, PairFailure, PairingWait, ProvenDevice } from '@sallyport/carrier'
import type { Capability, DeviceSessionInfo, HandshakePayload3, PairingRequest } from '@sallyport/protocol'
import { equalBytes, fingerprintOf, LIMITS, utf8ToBytes } from '@sallyport/protocol'

export type PairRequest = Extract<HandshakePayload3, { intent: 'pair' }>
type Outcome = Awaited<PairingWait['outcome']>
export type Turn =
	| { readonly kind: 'turn'; readonly nonce: Uint8Array; readonly expiresAtMs: number }
	| { readonly kind: 'failed'; readonly reason: PairFailure }

export type ApproveResult =
	| { readonly kind: 'approved'; readonly returnCode: string }
	| { readonly kind: 'wrong_code'; readonly attemptsLeft: number }
	| { readonly kind: 'burned' }
	| { readonly kind: 'not_found' }

export interface ApprovalDeskDeps {
	readonly clock: Clock
	/** Makes the session of an approved device, not yet confirmed. */
	readonly makeSession: (
		device: ProvenDevice,
		request: PairRequest,
		capabilities: readonly Capability[],
	) => Promise<DeviceSessionInfo>
	/** The person carried the return code back (true) or never did. Gives whether the session stands, on disk; never rejects. */
	readonly settleSession: (session: DeviceSessionInfo, isConfirmed: boolean) => Promise<boolean>
	/** A request is up for comparison; its digits are not in it. */
	readonly onRequest: (request: PairingRequest) => void
	readonly onEnded: (requestId: string, outcome: 'paired' | 'denied' | 'expired' | 'burned' | 'closed') => void
}

interface Waiting {
	readonly device: ProvenDevice
	readonly request: PairRequest
	readonly onQueued: (position: number) => void
	readonly give: (turn: Turn) => void
}

interface Case {
	readonly id: string
	readonly device: ProvenDevice
	readonly request: PairRequest
	readonly expiresAtMs: number
	readonly settle: (outcome: Outcome) => void
	readonly outcome: Promise<Outcome>
	codes?: { readonly digits: string; readonly returnCode: string }
	mistakes: number
	state: 'exchanging' | 'waiting' | 'approving' | 'approved'
	session?: DeviceSessionInfo
	cancelTimer: () => void
}

const QUEUE_LIMIT = 16
/** From a turn's begin until both nonces are known: a peer that is there needs one round trip. */
const EXCHANGE_MS = 30_000
const HOUR_MS = 3_600_000

/**
 * Requests to be let in by approve code. One at a time; others wait before the nonces. A second wrong number or five
 * minutes burn a request; five an hour are taken.
 */
export class ApprovalDesk {
	readonly #deps: ApprovalDeskDeps
	readonly #queue: Waiting[] = []
	#turnsAtMs: number[] = []
	#case: Case | undefined

	constructor(deps: ApprovalDeskDeps) {
		this.#deps = deps
	}

	/** The request that waits for its digits now. */
	get current(): PairingRequest | undefined {
		const open = this.#case
		return open?.state === 'waiting' ? describe(open) : undefined
	}

	/** `signal`: the device went away, while it waited or before its digits were up. */
	enter(device: ProvenDevice, request: PairRequest, onQueued: (position: number) => void, signal: AbortSignal): Promise<Turn> {
		if (signal.aborted) return Promise.resolve({ kind: 'failed', reason: 'closed' })
		if (this.#isLimitReached() || this.#queue.length >= QUEUE_LIMIT) return Promise.resolve({ kind: 'failed', reason: 'limit' })
		return new Promise((give) => {
			const waiting: Waiting = { device, request, onQueued, give }
			this.#queue.push(waiting)
			signal.addEventListener('abort', () => this.#leave(waiting), { once: true })
			if (this.#case !== undefined) onQueued(this.#queue.length)
			this.#next()
		})
	}

	awaitApproval(device: ProvenDevice, codes: { readonly digits: string; readonly returnCode: string }): PairingWait {
		const open = this.#case
		if (open === undefined || open.device !== device || open.state !== 'exchanging') {
			return { outcome: Promise.resolve({ kind: 'failed', reason: 'expired' }), end: async () => false }
		}
		open.codes = codes
		open.state = 'waiting'
		open.cancelTimer()
		open.cancelTimer = this.#deps.clock.setTimer(open.expiresAtMs - this.#deps.clock.nowMs(), () => this.#fail(open, 'expired'))
		this.#deps.onRequest(describe(open))
		return {
			outcome: open.outcome,
			end: async (how) => {
				if (how === 'confirmed' && open.state === 'approved') return this.#finish(open, 'paired')
				this.#fail(open, 'closed')
				return false
			},
		}
	}

	/** Compares the digits that a person read off the new device. */
	async approve(requestId: string, digits: string, capabilities: readonly Capability[]): Promise<ApproveResult> {
		const open = this.#case
		if (open === undefined || open.id !== requestId || open.state !== 'waiting' || open.codes === undefined)
			return { kind: 'not_found' }
		if (!equalBytes(utf8ToBytes(open.codes.digits), utf8ToBytes(digits))) {
			open.mistakes++
			if (open.mistakes < LIMITS.pairingMistakes) {
				return { kind: 'wrong_code', attemptsLeft: LIMITS.pairingMistakes - open.mistakes }
			}
			this.#fail(open, 'burned')
			return { kind: 'burned' }
		}
		open.state = 'approving'
		const session = await this.#deps.makeSession(open.device, open.request, capabilities).catch((error: unknown) => {
			this.#fail(open, 'closed')
			throw error
		})
		open.session = session
		if (this.#case !== open) {
			// It ended while the disk was busy: nobody is there to confirm.
			await this.#deps.settleSession(session, false)
			return { kind: 'not_found' }
		}
		open.state = 'approved'
		open.settle({ kind: 'approved', session })
		return { kind: 'approved', returnCode: open.codes.returnCode }
	}

	/** False when there is no such request. */
	deny(requestId: string): boolean {
		const open = this.#case
		if (open === undefined || open.id !== requestId) return false
		this.#fail(open, 'denied')
		return true
	}

	close(): void {
		for (const waiting of this.#queue.splice(0)) waiting.give({ kind: 'failed', reason: 'closed' })
		if (this.#case !== undefined) this.#fail(this.#case, 'closed')
	}

	#leave(waiting: Waiting): void {
		const index = this.#queue.indexOf(waiting)
		if (index >= 0) {
			this.#queue.splice(index, 1)
			waiting.give({ kind: 'failed', reason: 'closed' })
		} else if (this.#case?.device === waiting.device && this.#case.state === 'exchanging') this.#fail(this.#case, 'closed')
	}

	#next(): void {
		if (this.#case !== undefined) return
		const waiting = this.#queue.shift()
		if (waiting === undefined) return
		if (this.#isLimitReached()) {
			waiting.give({ kind: 'failed', reason: 'limit' })
			this.#next()
			return
		}
		this.#turnsAtMs.push(this.#deps.clock.nowMs())
		const open = this.#openCase(waiting.device, waiting.request)
		this.#case = open
		for (const [index, other] of this.#queue.entries()) other.onQueued(index + 1)
		waiting.give({ kind: 'turn', nonce: new Uint8Array(randomBytes(32)), expiresAtMs: open.expiresAtMs })
	}

	#openCase(device: ProvenDevice, request: PairRequest): Case {
		let settle: (outcome: Outcome) => void = () => undefined
		const outcome = new Promise<Outcome>((resolve) => {
			settle = resolve
		})
		const open: Case = {
			id: randomBytes(9).toString('base64url'),
			device,
			request,
			expiresAtMs: this.#deps.clock.nowMs() + LIMITS.pairingMs,
			settle,
			outcome,
			mistakes: 0,
			state: 'exchanging',
			cancelTimer: () => undefined,
		}
		open.cancelTimer = this.#deps.clock.setTimer(EXCHANGE_MS, () => this.#fail(open, 'expired'))
		return open
	}

	#fail(open: Case, reason: PairFailure): void {
		if (this.#case !== open) return
		open.settle({ kind: 'failed', reason })
		void this.#finish(open, reason === 'wrong_code' ? 'burned' : reason === 'limit' ? 'closed' : reason)
	}

	/** Gives whether the session stands: a confirmation that comes late, or of a session that was revoked meanwhile, has none. */
	#finish(open: Case, outcome: 'paired' | 'denied' | 'expired' | 'burned' | 'closed'): Promise<boolean> {
		if (this.#case !== open) return Promise.resolve(false)
		open.cancelTimer()
		this.#case = undefined
		const settled =
			open.session === undefined ? Promise.resolve(false) : this.#deps.settleSession(open.session, outcome === 'paired')
		if (open.state !== 'exchanging') this.#deps.onEnded(open.id, outcome)
		this.#next()
		return settled
	}

	#isLimitReached(): boolean {
		const since = this.#deps.clock.nowMs() - HOUR_MS
		this.#turnsAtMs = this.#turnsAtMs.filter((at) => at > since)
		return this.#turnsAtMs.length >= LIMITS.pairingsPerHour
	}
}

function describe(open: Case): PairingRequest {
	return {
		op: 'pairing_request',
		request_id: open.id,
		device_name: open.request.device_name,
		device_kind: open.request.device_kind,
		user: open.device.context.user,
		address: open.device.context.address,
		fingerprint: fingerprintOf(open.device.deviceId),
		expires: open.expiresAtMs,
	}
}
