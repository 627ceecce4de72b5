import { random } from '@sallyport/link'
import type { DeviceSessionInfo, HandshakePayload3, LinkEndCode, LinkReady, Logger } from '@sallyport/protocol'
import { CLOSE, LIMITS, linkIdFromBytes } from '@sallyport/protocol'
import type { MessageSocket } from '@sallyport/transport'
import type { Clock } from '../clock.ts'
import { connectionRecord } from '../control-record.ts'
import type { CryptoDriver } from '../crypto/crypto-driver.ts'
import { runCrypto } from '../crypto/crypto-driver.ts'
import type { Identity } from '../crypto/identity.ts'
import { LinkDriver } from '../driver/link-driver.ts'
import { LinkError } from '../errors.ts'
import { readMessages } from '../message-reader.ts'
import type { Admission, KnockContext, NodeDescription, NodeGate, ProvenDevice } from '../node-link.ts'
import { offerApproval } from '../pairing/approve-node.ts'
import type { AcceptedChannel } from '../secure-channel/open-channel.ts'
import { acceptChannel } from '../secure-channel/open-channel.ts'
import type { SecureChannel } from '../secure-channel/secure-channel.ts'
import type { AcceptedLink } from './accepted-link.ts'
import { createNodeLink } from './accepted-link.ts'

export interface LinkAcceptorDeps {
	readonly crypto: CryptoDriver
	/** The node's own, as it is at the moment: it is renewed now and then. */
	readonly identity: () => Identity
	readonly node: () => NodeDescription
	readonly gate: NodeGate
	readonly clock: Clock
	readonly log: Logger
}

/** The node's side of every link: takes sockets on which `opened` was said, ends with links that the gate let in. */
export interface LinkAcceptor {
	/** Takes over the socket: whatever comes of it, it is closed in the end. Never throws. */
	accept(socket: MessageSocket, context: KnockContext): void
	/** Ends every link, each with this code. Resolves when the goodbyes have been handed to the sockets. */
	closeAll(code: LinkEndCode, message?: string): void
	/** Ends the links of the sessions that this says yes to. */
	closeWhere(isMeant: (session: DeviceSessionInfo) => boolean, code: LinkEndCode, message?: string): void
	readonly links: readonly AcceptedLink['link'][]
}

/** Sockets of each way in that may be in their handshake or pairing at once: strangers can hold no more than these. */
const UNPROVEN_MAX = 256

export function createLinkAcceptor(deps: LinkAcceptorDeps): LinkAcceptor {
	return new Acceptor(deps)
}

class Acceptor implements LinkAcceptor {
	readonly #deps: LinkAcceptorDeps
	readonly #links = new Map<string, AcceptedLink>()
	readonly #unproven = { relay: 0, direct: 0 }

	constructor(deps: LinkAcceptorDeps) {
		this.#deps = deps
	}

	get links(): readonly AcceptedLink['link'][] {
		return [...this.#links.values()].map((accepted) => accepted.link)
	}

	accept(socket: MessageSocket, context: KnockContext): void {
		const { via } = context
		if (this.#unproven[via] >= UNPROVEN_MAX) {
			this.#deps.log.warn('too many handshakes at once', { via })
			socket.close(CLOSE.rateLimited.code, CLOSE.rateLimited.name)
			return
		}
		this.#unproven[via]++
		this.#admit(socket, context)
			.catch((error: unknown) => {
				const detail = error instanceof Error ? error.message : String(error)
				this.#deps.log.info('link did not come about', { via, detail })
				socket.close(CLOSE.handshakeFailed.code, CLOSE.handshakeFailed.name)
			})
			.finally(() => this.#unproven[via]--)
	}

	closeAll(code: LinkEndCode, message?: string): void {
		this.closeWhere(() => true, code, message)
	}

	closeWhere(isMeant: (session: DeviceSessionInfo) => boolean, code: LinkEndCode, message?: string): void {
		for (const { link } of this.#links.values()) if (isMeant(link.session)) link.close(code, message)
	}

	async #admit(socket: MessageSocket, context: KnockContext): Promise<void> {
		const { crypto, identity, node, gate, clock } = this.#deps
		const { linkKey, certificate } = identity()
		const accepted = await acceptChannel({
			socket,
			crypto,
			nodeId: node().nodeId,
			identity: { linkKey, certificate },
			nowMs: clock.nowMs(),
			signal: AbortSignal.timeout(LIMITS.handshakeMs),
			features: [],
			secretFor: async (secretId) => {
				const secret = await gate.pairingSecret(secretId, context)
				return secret && { secret, origin: context.origin }
			},
			lastSerialFor: (deviceId) => gate.lastSerial(deviceId),
		})
		if (!accepted.ok) throw new LinkError('handshake_failed', `${accepted.error.code}: ${accepted.error.detail}`)
		const { deviceId, identityKey, serial } = accepted.value.device
		const device: ProvenDevice = { deviceId, identityKey, certificateSerial: serial, context }
		await this.#answer(accepted.value, device)
	}

	#answer(accepted: AcceptedChannel, device: ProvenDevice): Promise<void> {
		const { payload3 } = accepted
		switch (payload3.intent) {
			case 'open':
				return this.#open(accepted, device, payload3)
			case 'pair':
				return accepted.payload1.secret_id === undefined
					? this.#pairByCode(accepted, device, payload3)
					: this.#pairBySecret(accepted, device, payload3, accepted.payload1.secret_id)
			case 'resume':
				return this.#resume(accepted, device, payload3)
		}
	}

	async #open(
		{ channel }: AcceptedChannel,
		device: ProvenDevice,
		request: Extract<HandshakePayload3, { intent: 'open' }>,
	): Promise<void> {
		if (request.session_id === undefined) return sayAndClose(channel, { op: 'pairing_required' })
		const { replaces } = request
		const old = replaces === undefined ? undefined : this.#links.get(replaces)
		if (old !== undefined && old.link.device.deviceId === device.deviceId) old.link.close('replaced')
		await this.#conclude(channel, device, await this.#deps.gate.admit(device, request.session_id))
	}

	async #pairBySecret(
		{ channel }: AcceptedChannel,
		device: ProvenDevice,
		request: Extract<HandshakePayload3, { intent: 'pair' }>,
		secretId: string,
	): Promise<void> {
		await this.#conclude(channel, device, await this.#deps.gate.pairBySecret(device, secretId, request))
	}

	async #pairByCode(
		{ channel, handshakeHash }: AcceptedChannel,
		device: ProvenDevice,
		request: Extract<HandshakePayload3, { intent: 'pair' }>,
	): Promise<void> {
		const reader = readMessages(channel)
		const { crypto, gate } = this.#deps
		try {
			const session = await offerApproval({ reader, crypto, handshakeHash, gate, device, request })
			if (session === undefined) channel.close(CLOSE.normal.code, CLOSE.normal.name)
			else await this.#establish(channel, device, session, reader.release())
		} catch (error) {
			channel.close(CLOSE.badRequest.code, CLOSE.badRequest.name)
			throw error
		}
	}

	async #conclude(channel: SecureChannel, device: ProvenDevice, admission: Admission): Promise<void> {
		switch (admission.kind) {
			case 'session':
				return this.#establish(channel, device, admission.session, [])
			case 'gone':
				return sayAndClose(channel, { op: 'session_gone', reason: admission.reason })
			case 'refused':
				return sayAndClose(channel, { op: 'link_refused', code: admission.code, message: admission.message })
		}
	}

	async #establish(
		channel: SecureChannel,
		device: ProvenDevice,
		session: DeviceSessionInfo,
		early: readonly Uint8Array[],
	): Promise<void> {
		const { crypto, clock, log, gate } = this.#deps
		const id = linkIdFromBytes(await runCrypto(crypto, random(16)))
		channel.send(connectionRecord(this.#ready(id, session)))
		const driver = new LinkDriver({ id, role: 'node', clock, log: log.child({ link: id }) })
		const accepted = createNodeLink({ driver, device, session, clock, onEnd: () => this.#links.delete(id) })
		this.#links.set(id, accepted)
		accepted.start(gate.linkOpened(accepted.link))
		accepted.attach(channel, { early })
	}

	async #resume(
		{ channel }: AcceptedChannel,
		device: ProvenDevice,
		request: Extract<HandshakePayload3, { intent: 'resume' }>,
	): Promise<void> {
		const accepted = this.#links.get(request.link_id)
		const isOwn = accepted?.link.device.deviceId === device.deviceId
		if (accepted === undefined || !isOwn || request.attempt <= accepted.lastAttempt) {
			return sayAndClose(channel, {
				op: 'link_refused',
				code: 'resume_failed',
				message: 'this link can’t be resumed: open a new one',
			})
		}
		const admission = await this.#deps.gate.admit(device, accepted.link.session.session_id)
		if (admission.kind !== 'session') return this.#conclude(channel, device, admission)
		if (!accepted.link.isOpen || request.attempt <= accepted.lastAttempt) {
			return sayAndClose(channel, {
				op: 'link_refused',
				code: 'resume_failed',
				message: 'the link ended meanwhile: open a new one',
			})
		}
		accepted.lastAttempt = request.attempt
		channel.send(connectionRecord({ op: 'resumed', received: accepted.freeze() }))
		accepted.attach(channel, { peerReceived: request.received })
	}

	#ready(linkId: LinkReady['link_id'], session: DeviceSessionInfo): LinkReady {
		const { nodeId, name, hostname, os, agentVersion, endpoints } = this.#deps.node()
		return {
			op: 'link_ready',
			link_id: linkId,
			limits: { streams: LIMITS.streamsPerLink, link_window: LIMITS.linkWindowBytes, stream_window: LIMITS.streamWindowBytes },
			session: { ...session, current: true, connected: true },
			node: { node_id: nodeId, name, hostname, os, agent_version: agentVersion },
			endpoints: [...endpoints],
		}
	}
}

async function sayAndClose(channel: SecureChannel, message: Parameters<typeof connectionRecord>[0]): Promise<void> {
	channel.send(connectionRecord(message))
	channel.close(CLOSE.normal.code, CLOSE.normal.name)
}
