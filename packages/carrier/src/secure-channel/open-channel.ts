/** The handshake on a socket, from both sides: what it gives is a channel for records and a proven peer. */
import type {
	AgreementKey,
	Crypto,
	HandshakeResult,
	LinkKeys,
	PairingSecret,
	VerifiedDevice,
	VerifiedNode,
} from '@sallyport/link'
import {
	checkSerial,
	finishHandshake,
	linkPsk,
	NO_PSK,
	openHandshake,
	readFinish,
	readOpening,
	readReply,
	replyHandshake,
} from '@sallyport/link'
import type { DeviceId, HandshakePayload1, HandshakePayload2, HandshakePayload3, Intent, Result } from '@sallyport/protocol'
import { ok } from '@sallyport/protocol'
import type { MessageSocket } from '@sallyport/transport'
import type { CryptoDriver } from '../crypto/crypto-driver.ts'
import { runCrypto } from '../crypto/crypto-driver.ts'
import type { ChannelOpenFault } from './handshake-inbox.ts'
import { HandshakeEnded, HandshakeInbox } from './handshake-inbox.ts'
import type { SecureChannel } from './secure-channel.ts'
import { createSecureChannel } from './secure-channel.ts'

interface ChannelOptions {
	/** Open, past its hello. It is closed when the handshake fails, else it is the channel's. */
	readonly socket: MessageSocket
	readonly crypto: CryptoDriver
	/** The node to reach, or the node that this is. */
	readonly nodeId: string
	readonly identity: { readonly linkKey: AgreementKey; readonly certificate: Uint8Array }
	readonly nowMs: number
	/** Ends the handshake, not the channel: `AbortSignal.timeout(LIMITS.handshakeMs)`, for instance. */
	readonly signal?: AbortSignal
	/** @default LIMITS.recordsPerKey: both sides must agree; for tests */
	readonly recordsPerKey?: number
}

type WithoutCertificate<T> = T extends unknown ? Omit<T, 'certificate'> : never
/** Message 3's payload; the certificate is the identity's. */
export type HandshakeDecision = WithoutCertificate<HandshakePayload3>

export interface InitiateChannelOptions extends ChannelOptions {
	readonly intent: Intent
	/** Only with intent `pair`. */
	readonly secret?: PairingSecret
	/** The serial of the node's certificate when it was last seen. */
	readonly lastSerial?: number
	/**
	 * Called with the proven node, before it knows who is calling: decides on message 3, or gives up by `undefined`. A
	 * resume freezes the old connection here. When it rejects, so does `initiateChannel`.
	 */
	readonly decide: (node: VerifiedNode, payload2: HandshakePayload2) => Promise<HandshakeDecision | undefined>
}

export interface InitiatedChannel {
	readonly channel: SecureChannel
	readonly node: VerifiedNode
	readonly payload2: HandshakePayload2
	readonly handshakeHash: Uint8Array
}

/** The client's side. The node has accepted only once its first record arrives. */
export function initiateChannel(options: InitiateChannelOptions): Promise<Result<InitiatedChannel, ChannelOpenFault>> {
	return attempt(options, async (inbox, run) => {
		const { socket, nodeId, identity, intent, secret, nowMs, lastSerial } = options
		const { linkKey } = identity
		const opened = await run(openHandshake({ nodeId, linkKey, intent, ...(secret && { secret }) }))
		socket.sendBinary(opened.message)
		const check = { nowMs, ...(lastSerial !== undefined && { lastSerial }) }
		const replied = await run(readReply(opened.state, await inbox.receive(), check))
		const decision = await inbox.unlessEnded(options.decide(replied.node, replied.payload))
		if (decision === undefined) throw new HandshakeEnded({ code: 'HANDSHAKE_ABORTED', detail: 'the handshake was given up' })
		const finished = await run(finishHandshake(replied, { ...decision, certificate: identity.certificate }))
		const open = await prepareChannel(options, inbox, finished.keys)
		const early = inbox.takeRest()
		socket.sendBinary(finished.message)
		const { handshakeHash } = finished.keys
		return { channel: open(early), node: replied.node, payload2: replied.payload, handshakeHash }
	})
}

export interface AcceptChannelOptions extends ChannelOptions {
	readonly features: readonly string[]
	/**
	 * Looks up the secret that message 1 names, and changes nothing: message 1 can be replayed by anyone. `undefined`: it
	 * isn't known, was used up or has expired. When this or `lastSerialFor` rejects, so does `acceptChannel`.
	 */
	readonly secretFor: (secretId: string) => Promise<Omit<PairingSecret, 'id'> | undefined>
	/** The serial of the device's certificate when it was last seen. */
	readonly lastSerialFor?: (deviceId: DeviceId) => Promise<number | undefined>
}

export interface AcceptedChannel {
	readonly channel: SecureChannel
	readonly device: VerifiedDevice
	readonly payload1: HandshakePayload1
	readonly payload3: HandshakePayload3
	readonly handshakeHash: Uint8Array
}

/** The node's side. Records wait until the channel's `setHandlers`. */
export function acceptChannel(options: AcceptChannelOptions): Promise<Result<AcceptedChannel, ChannelOpenFault>> {
	return attempt(options, async (inbox, run) => {
		const { socket, nodeId, identity, features, nowMs } = options
		const opened = await run(readOpening({ nodeId, linkKey: identity.linkKey }, await inbox.receive()))
		const psk = await selectPsk(options, inbox, opened.payload.secret_id)
		const replied = await run(replyHandshake(opened, { psk, certificate: identity.certificate, features }))
		socket.sendBinary(replied.message)
		const finished = await run(readFinish(replied.state, await inbox.receive(), { nowMs }))
		const { device, payload, keys } = finished
		const lastSerial = options.lastSerialFor && (await inbox.unlessEnded(options.lastSerialFor(device.deviceId)))
		const old = checkSerial(device.serial, lastSerial)
		if (old !== undefined) throw new HandshakeEnded(old)
		const open = await prepareChannel(options, inbox, keys)
		const { handshakeHash } = keys
		return { channel: open(inbox.takeRest()), device, payload1: opened.payload, payload3: payload, handshakeHash }
	})
}

async function selectPsk(
	options: AcceptChannelOptions,
	inbox: HandshakeInbox,
	secretId: string | undefined,
): Promise<Uint8Array> {
	if (secretId === undefined) return NO_PSK
	const found = await inbox.unlessEnded(options.secretFor(secretId))
	if (found === undefined)
		throw new HandshakeEnded({ code: 'SECRET_UNKNOWN', detail: 'the pairing secret is unknown, used up or expired' })
	return runCrypto(options.crypto, linkPsk({ id: secretId, ...found }))
}

/** Makes the ciphers, which may take time; the rest is synchronous, so that no record slips between two readers. */
async function prepareChannel(
	options: ChannelOptions,
	inbox: HandshakeInbox,
	keys: LinkKeys,
): Promise<(early: readonly Uint8Array[]) => SecureChannel> {
	const { socket, crypto, recordsPerKey } = options
	const sealer = await inbox.unlessEnded(Promise.resolve(crypto.createRecordCipher(keys.sendKey)))
	const opener = await inbox.unlessEnded(Promise.resolve(crypto.createRecordCipher(keys.receiveKey)))
	return (early) => createSecureChannel({ socket, sealer, opener, early, ...(recordsPerKey && { recordsPerKey }) })
}

type Run = <T>(work: Crypto<HandshakeResult<T>>) => Promise<T>

/** Runs the steps of a handshake; whichever way they fail, the socket is closed and the fault is a value. */
async function attempt<T>(
	options: ChannelOptions,
	steps: (inbox: HandshakeInbox, run: Run) => Promise<T>,
): Promise<Result<T, ChannelOpenFault>> {
	const inbox = new HandshakeInbox(options.socket, options.signal)
	const run: Run = async (work) => {
		const result = await inbox.unlessEnded(computed(options.crypto, work))
		if (!result.ok) throw new HandshakeEnded(result.error)
		return result.value
	}
	try {
		return ok(await steps(inbox, run))
	} catch (error) {
		const fault: ChannelOpenFault =
			error instanceof HandshakeEnded ? error.fault : { code: 'HANDSHAKE_ABORTED', detail: 'the caller failed' }
		inbox.abandon(fault)
		if (error instanceof HandshakeEnded) return { ok: false, error: fault }
		throw error
	}
}

async function computed<T>(crypto: CryptoDriver, work: Crypto<T>): Promise<T> {
	try {
		return await runCrypto(crypto, work)
	} catch (error) {
		throw new HandshakeEnded({ code: 'HANDSHAKE_INTERNAL', detail: `handshake failed on this side: ${String(error)}` })
	}
}
