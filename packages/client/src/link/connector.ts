import type { ClientIntent, Clock, OpenedClientLink } from '@sallyport/carrier'
import { fingerprintOf, type NodeId } from '@sallyport/protocol'
import type { Device, DeviceStore, StoredPairing } from '../device.ts'
import { ClientError } from '../errors.ts'
import type { NodeConnection, Pairing } from '../sally-client.ts'
import type { LinkOpener } from './link-opener.ts'
import { createNodeConnection } from './node-connection.ts'
import type { Route } from './route.ts'

export interface ConnectorDeps {
	readonly route: Route
	readonly openLink: LinkOpener
	readonly store: DeviceStore
	readonly device: Device
	readonly clock: Clock
}

/** Opens links by one route and keeps one for each node. */
export class Connector {
	readonly #deps: ConnectorDeps
	readonly #links = new Map<NodeId, Promise<NodeConnection>>()
	readonly #closing = new AbortController()

	constructor(deps: ConnectorDeps) {
		this.#deps = deps
	}

	/** The open link, the one that is being opened, or a new one. */
	connect(nodeId: NodeId): Promise<NodeConnection> {
		const known = this.#links.get(nodeId)
		if (known !== undefined) return known
		return this.#share(nodeId, this.#open(nodeId))
	}

	/** Pairs by a secret or by approve code; the link that comes of it is the node's from then on. */
	async pair(
		nodeId: NodeId,
		intent: Exclude<ClientIntent, { kind: 'open' }>,
		pairedBy: Pairing['pairedBy'],
		signal?: AbortSignal,
	): Promise<Pairing> {
		const opened = await this.#openLink(nodeId, intent, undefined, signal)
		const pairing: StoredPairing = {
			nodeId,
			nodeName: opened.link.ready.node.name,
			identityKey: opened.peer.identityKey,
			serial: opened.peer.serial,
			sessionId: opened.link.ready.session.session_id,
			pairedAtMs: this.#deps.clock.nowMs(),
			pairedBy,
		}
		await this.#deps.store.putPairing(pairing)
		await this.forget(nodeId)
		await this.#share(nodeId, Promise.resolve(createNodeConnection(nodeId, opened.link)))
		return pairingOf(pairing)
	}

	/** Ends the link to a node, if there is one. */
	async forget(nodeId: NodeId): Promise<void> {
		const known = this.#links.get(nodeId)
		this.#links.delete(nodeId)
		const connection = await known?.catch(() => undefined)
		connection?.link.close('closed_by_client')
	}

	close(): void {
		this.#closing.abort()
		for (const nodeId of [...this.#links.keys()]) void this.forget(nodeId)
	}

	#share(nodeId: NodeId, attempt: Promise<NodeConnection>): Promise<NodeConnection> {
		this.#links.set(nodeId, attempt)
		const drop = (): void => {
			if (this.#links.get(nodeId) === attempt) this.#links.delete(nodeId)
		}
		attempt.then((connection) => connection.link.ended.then(drop), drop)
		return attempt
	}

	async #open(nodeId: NodeId): Promise<NodeConnection> {
		const { store } = this.#deps
		const pairing = await store.pairing(nodeId)
		if (pairing === undefined) {
			throw new ClientError('not_paired', 'this device is not paired with that machine. Pair it first')
		}
		try {
			const opened = await this.#openLink(nodeId, { kind: 'open', sessionId: pairing.sessionId }, pairing)
			const nodeName = opened.link.ready.node.name
			if (opened.peer.serial !== pairing.serial || nodeName !== pairing.nodeName) {
				await store.putPairing({ ...pairing, serial: opened.peer.serial, nodeName })
			}
			return createNodeConnection(nodeId, opened.link)
		} catch (caught) {
			const error = ClientError.from(caught)
			// Said inside the link by the node itself: nothing else makes a device drop a session.
			if (error.code === 'session_gone') await store.deletePairing(nodeId)
			throw error
		}
	}

	async #openLink(
		nodeId: NodeId,
		intent: ClientIntent,
		pairing: StoredPairing | undefined,
		signal: AbortSignal = this.#closing.signal,
	): Promise<OpenedClientLink> {
		const socket = await this.#deps.route(nodeId, signal)
		try {
			return await this.#deps.openLink({
				socket,
				nodeId,
				intent,
				signal,
				redial: (redialSignal) => this.#deps.route(nodeId, redialSignal),
				...(pairing === undefined ? {} : { lastSerial: pairing.serial }),
			})
		} catch (caught) {
			socket.close(1000, '')
			throw ClientError.from(caught)
		}
	}
}

export function pairingOf(stored: StoredPairing): Pairing {
	return {
		nodeId: stored.nodeId,
		nodeName: stored.nodeName,
		fingerprint: fingerprintOf(stored.nodeId),
		pairedAtMs: stored.pairedAtMs,
		pairedBy: stored.pairedBy,
	}
}
