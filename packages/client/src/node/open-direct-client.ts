import { deviceIdOf, openClientLink, runCrypto, systemClock } from '@sallyport/carrier'
import { createNodeCrypto } from '@sallyport/carrier/node'
import { fingerprintOf, type Logger, type NodeId, silentLogger } from '@sallyport/protocol'
import { dialWebSocket } from '@sallyport/transport/node'
import type { Device } from '../device.ts'
import { Connector, pairingOf } from '../link/connector.ts'
import { askWhoAnswers, createDirectRoute } from '../link/direct-route.ts'
import { requestApproval } from '../pairing/approval.ts'
import type { SallyClient } from '../sally-client.ts'
import { loadFileIdentity } from './file-identity.ts'
import { createFileStore } from './file-store.ts'
import type { NodeProfile } from './open-node-client.ts'

export interface DirectClientOptions {
	readonly profile: NodeProfile
	/** The whole address of the machine's own socket, `ws://` or `wss://`. */
	readonly url: string
	readonly deviceName: string
	readonly log?: Logger
}

/** The client of one machine's own address: no relay, no sign-in, the same keys and pairings. */
export interface DirectClient extends Pick<SallyClient, 'fingerprint' | 'pairings' | 'connect' | 'requestApproval' | 'close'> {
	/** The machine that says it is there: a claim, which the handshake proves or refutes. */
	whoAnswers(): Promise<NodeId>
}

export async function openDirectClient(options: DirectClientOptions): Promise<DirectClient> {
	const { profile, log = silentLogger } = options
	const clock = systemClock
	const crypto = createNodeCrypto()
	const warn = (name: string): void => log.warn('unreadable file was set aside', { name })
	const identity = await loadFileIdentity(profile.directory, profile.sealing, clock.nowMs(), warn)
	const device: Device = {
		id: await runCrypto(crypto, deviceIdOf(identity.identityKey)),
		identityKey: identity.identityKey.publicKey,
		name: options.deviceName,
		kind: 'cli',
	}
	const store = createFileStore(profile.directory, profile.sealing, warn)
	const direct = {
		url: options.url,
		dial: (url: string, signal?: AbortSignal) => dialWebSocket(url, signal === undefined ? {} : { signal }),
		clock,
	}
	const connector = new Connector({
		route: createDirectRoute(direct),
		openLink: (request) => openClientLink({ ...request, crypto, identity, clock, log }),
		store,
		device,
		clock,
	})
	const closing = new AbortController()
	return {
		fingerprint: fingerprintOf(device.id),
		pairings: async () => (await store.pairings()).map(pairingOf),
		connect: (nodeId) => connector.connect(nodeId),
		requestApproval: (nodeId) => requestApproval(connector, device, nodeId),
		whoAnswers: () => askWhoAnswers(direct, closing.signal),
		close() {
			closing.abort()
			connector.close()
		},
	}
}
