import type {
	Admission,
	Clock,
	LinkNotice,
	NodeGate,
	NodeLink,
	NodeLinkHandlers,
	PairingWait,
	ProvenDevice,
} from '@sallyport/carrier'
import type { Capability, DeviceId, LinkEndCode, Logger, PairingRequest, SessionId } from '@sallyport/protocol'
import { shortId } from '@sallyport/protocol'
import { errorText } from '../errors.ts'
import type { StreamDeps } from '../streams/open-streams.ts'
import { openInbound } from '../streams/open-streams.ts'
import type { TerminalOwner } from '../streams/terminal.ts'
import type { ApproveResult, PairRequest, Turn } from './approval-desk.ts'
import { ApprovalDesk } from './approval-desk.ts'
import { userIdOf } from './knock.ts'
import type { PairingBook, SessionEnd } from './pairing-book.ts'
import { sessionInfo } from './pairing-book.ts'
import type { PairingLog } from './pairing-log.ts'
import { answerRequest } from './requests.ts'

/** What a device gets by approve code when nothing else was said: all but to let others in. */
export const APPROVED_CAPABILITIES: readonly Capability[] = ['shell', 'exec', 'files', 'forward']
/** What the first device of a person gets, by join or invite. */
export const OWNER_CAPABILITIES: readonly Capability[] = ['shell', 'exec', 'files', 'forward', 'approve']

export interface GateDeps {
	readonly clock: Clock
	readonly log: Logger
	readonly book: PairingBook
	readonly pairingLog: PairingLog
	readonly streams: StreamDeps
	/** While true, strangers on the own listener may ask to be paired by approve code. */
	readonly isPairWindowOpen: () => boolean
	/** A session ended for good; the relay is told, so that it forgets what it was told of it. */
	readonly onRevoked: (sessionId: SessionId, epoch: number) => void
}

/** How often sessions are looked at: an expired one loses its links within this. */
const SWEEP_MS = 30_000

/** Door two: who may enter this node, and what each link may do. */
export class Gate implements NodeGate {
	readonly #deps: GateDeps
	readonly #desk: ApprovalDesk
	readonly #links = new Set<NodeLink>()
	#cancelSweep: () => void = () => undefined
	#isClosed = false

	constructor(deps: GateDeps) {
		this.#deps = deps
		this.#desk = new ApprovalDesk({
			clock: deps.clock,
			makeSession: async (device, request, capabilities) => {
				const made = {
					...this.#newSession(device, request),
					user: device.context.user,
					capabilities,
					pairedBy: 'approve',
					isUnconfirmed: true,
				} as const
				return sessionInfo(await deps.book.createSession(made), { isConnected: true, isCurrent: true })
			},
			settleSession: (session, isConfirmed) => this.#settle(session.session_id, isConfirmed),
			onRequest: (request) => this.#tellApprovers(request),
			onEnded: (requestId, outcome) => this.#tellApprovers({ op: 'pairing_ended', request_id: requestId, outcome }),
		})
		this.#sweepLater()
	}

	get links(): readonly NodeLink[] {
		return [...this.#links]
	}

	get pairingRequest(): PairingRequest | undefined {
		return this.#desk.current
	}

	async pairingSecret(secretId: string): Promise<Uint8Array | undefined> {
		return this.#deps.book.findSecret(secretId)?.secret
	}

	/** The highest certificate serial seen of a device: a lower one is refused in the handshake. */
	async lastSerial(deviceId: DeviceId): Promise<number | undefined> {
		return this.#deps.book.sessions.find((session) => session.device_id === deviceId)?.serial
	}

	async admit(device: ProvenDevice, sessionId: SessionId | undefined): Promise<Admission> {
		const { book } = this.#deps
		const session = sessionId === undefined ? 'unknown' : book.find(sessionId)
		if (typeof session === 'string') return { kind: 'gone', reason: session }
		// A session id alone opens nothing: it belongs to the device that was paired. To anybody else it is unknown.
		if (session.device_id !== device.deviceId) return { kind: 'gone', reason: 'unknown' }
		if (book.isSuspended(session)) return suspended()
		await book.endSecretOf(session.session_id)
		await book.touch(session.session_id, device.context.address, device.certificateSerial)
		const current = book.find(session.session_id)
		if (typeof current === 'string') return { kind: 'gone', reason: current }
		return { kind: 'session', session: sessionInfo(current, { isConnected: true, isCurrent: true }) }
	}

	async pairBySecret(device: ProvenDevice, secretId: string, request: PairRequest): Promise<Admission> {
		const { book, clock, log } = this.#deps
		const userId = userIdOf(device.context)
		if (this.#isUserSuspended(device)) return suspended()
		const made = { ...this.#newSession(device, request), ...(userId === undefined ? {} : { user: device.context.user }) }
		const redeemed = await book.redeem(secretId, made)
		if (redeemed.kind === 'refused') {
			log.warn('pairing secret refused', { device: shortId(device.deviceId), reason: redeemed.message })
			return { kind: 'refused', code: 'refused', message: redeemed.message }
		}
		if (redeemed.isNew) {
			await this.#deps.pairingLog.add({ event: 'paired', session: redeemed.session }, clock.nowMs())
			this.#tellPaired(redeemed.session.session_id)
		}
		// It may have been revoked while the disk was busy.
		const current = book.find(redeemed.session.session_id)
		if (typeof current === 'string') return { kind: 'gone', reason: current }
		return { kind: 'session', session: sessionInfo(current, { isConnected: true, isCurrent: true }) }
	}

	async enterPairing(
		device: ProvenDevice,
		request: PairRequest,
		onQueued: (position: number) => void,
		signal: AbortSignal,
	): Promise<Turn> {
		if (this.#isUserSuspended(device)) return { kind: 'failed', reason: 'denied' }
		if (device.context.via === 'direct' && !this.#deps.isPairWindowOpen()) return { kind: 'failed', reason: 'closed' }
		return this.#desk.enter(device, request, onQueued, signal)
	}

	awaitApproval(device: ProvenDevice, codes: { readonly digits: string; readonly returnCode: string }): PairingWait {
		return this.#desk.awaitApproval(device, codes)
	}

	/** The digits that somebody typed, at the node or on a device that may let others in. */
	approve(
		requestId: string,
		digits: string,
		capabilities: readonly Capability[] = APPROVED_CAPABILITIES,
	): Promise<ApproveResult> {
		return this.#desk.approve(requestId, digits, capabilities)
	}

	deny(requestId: string): boolean {
		return this.#desk.deny(requestId)
	}

	async revoke(sessionId: SessionId): Promise<boolean> {
		const session = this.#deps.book.find(sessionId)
		const isRevoked = await this.#deps.book.revoke(sessionId)
		if (isRevoked && typeof session !== 'string') {
			await this.#deps.pairingLog.add({ event: 'revoked', session }, this.#deps.clock.nowMs())
		}
		return isRevoked
	}

	linkOpened(link: NodeLink): NodeLinkHandlers {
		this.#links.add(link)
		void link.ended.then(() => this.#links.delete(link))
		return {
			onStream: (inbound) => {
				// The link may have been asked to end while this was on its way.
				if (!this.#isLive(link)) return inbound.stream.reset('session_ended', 'this device is no longer paired with the machine')
				openInbound(link, inbound, this.#deps.streams).catch((error: unknown) => {
					this.#deps.log.error('stream could not be opened', { kind: inbound.request.kind, reason: errorText(error) })
					inbound.stream.reset('internal', 'the machine could not open this; its log has the reason')
				})
			},
			onRequest: (message) => {
				if (!this.#isLive(link)) return link.close('closed_by_node', 'this device is no longer paired with the machine')
				void answerRequest(link, message, {
					gate: this,
					book: this.#deps.book,
					terminals: this.#deps.streams.terminals,
					log: this.#deps.log,
				})
				return undefined
			},
		}
	}

	isConnected(sessionId: SessionId): boolean {
		return [...this.#links].some((link) => link.session.session_id === sessionId)
	}

	/** Closes the links of a session that ended. Terminals stay: they are the user's. */
	endSession(end: SessionEnd): void {
		const [code, message] = END_TEXT[end.reason]
		for (const link of this.#links) if (link.session.session_id === end.sessionId) link.close(code, message)
		if (end.reason !== 'suspended') this.#deps.onRevoked(end.sessionId, this.#deps.book.epoch)
	}

	tellTerminalsChanged(owner: TerminalOwner): void {
		for (const link of this.#links) {
			if (link.device.deviceId === owner.deviceId && link.session.user === owner.user) link.send({ op: 'terminals_changed' })
		}
	}

	close(code: LinkEndCode, message: string): void {
		this.#isClosed = true
		this.#cancelSweep()
		this.#desk.close()
		for (const link of this.#links) link.close(code, message)
	}

	#newSession(device: ProvenDevice, request: PairRequest) {
		return {
			deviceId: device.deviceId,
			identityKey: device.identityKey.slice(),
			deviceName: request.device_name,
			userId: userIdOf(device.context),
			address: device.context.address,
			serial: device.certificateSerial,
		}
	}

	async #settle(sessionId: SessionId, isConfirmed: boolean): Promise<boolean> {
		const { book, pairingLog, clock, log } = this.#deps
		try {
			if (!isConfirmed) {
				await book.revoke(sessionId)
				return false
			}
			await book.confirm(sessionId)
			const session = book.find(sessionId)
			if (typeof session === 'string') return false
			await pairingLog.add({ event: 'paired', session }, clock.nowMs())
			this.#tellPaired(sessionId)
			return typeof book.find(sessionId) !== 'string'
		} catch (error) {
			log.error('pairing could not be stored', { reason: errorText(error) })
			return false
		}
	}

	/** To every other device, always: somebody was let in. */
	#tellPaired(sessionId: SessionId): void {
		const session = this.#deps.book.find(sessionId)
		if (typeof session === 'string') return
		const notice = { op: 'device_paired', session: sessionInfo(session, { isConnected: true, isCurrent: false }) } as const
		for (const link of this.#links) if (link.session.session_id !== sessionId) link.send(notice)
	}

	#tellApprovers(notice: LinkNotice): void {
		for (const link of this.#links) if (link.session.capabilities.includes('approve')) link.send(notice)
	}

	/** Whom the relay asked to keep out doesn't come in by pairing either. */
	#isUserSuspended(device: ProvenDevice): boolean {
		const userId = userIdOf(device.context)
		return userId !== undefined && this.#deps.book.suspensions.users.includes(userId)
	}

	#isLive(link: NodeLink): boolean {
		const session = this.#deps.book.find(link.session.session_id)
		return typeof session !== 'string' && !this.#deps.book.isSuspended(session)
	}

	#sweepLater(): void {
		if (this.#isClosed) return
		this.#cancelSweep = this.#deps.clock.setTimer(SWEEP_MS, () => {
			void this.#sweep().catch((error: unknown) =>
				this.#deps.log.error('sessions could not be stored', { reason: errorText(error) }),
			)
			this.#sweepLater()
		})
	}

	async #sweep(): Promise<void> {
		for (const link of this.#links) {
			await this.#deps.book.touch(link.session.session_id, link.device.context.address, link.device.certificateSerial)
		}
		await this.#deps.book.expire()
	}
}

const END_TEXT: Readonly<Record<SessionEnd['reason'], readonly [LinkEndCode, string]>> = {
	expired: ['session_expired', 'this pairing has expired; pair this device again'],
	revoked: ['session_revoked', 'this device was removed from the machine; pair it again to come back'],
	replaced: ['replaced', 'this device was paired again; the older pairing has ended'],
	suspended: [
		'closed_by_node',
		'the relay asked the machine to keep this user or device out; its owner can lift that with: sally agent lift',
	],
}

function suspended(): Admission {
	const [, message] = END_TEXT.suspended
	return { kind: 'refused', code: 'closed_by_node', message }
}
