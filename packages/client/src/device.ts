import type { DeviceId, NodeId, SessionId } from '@sallyport/protocol'

/** This device, as nodes and people know it. Its private keys stay with whoever opens links. */
export interface Device {
	readonly id: DeviceId
	readonly identityKey: Uint8Array
	/** What pairing dialogs show: a browser's or a computer's name. */
	readonly name: string
	readonly kind: 'browser' | 'cli'
}

/** What this device trusts about one node: pinned when they were paired, and dropped only on the node's own word. */
export interface StoredPairing {
	readonly nodeId: NodeId
	readonly nodeName: string
	readonly identityKey: Uint8Array
	/** Of the newest certificate seen; an older one is refused. */
	readonly serial: number
	readonly sessionId: SessionId
	readonly pairedAtMs: number
	readonly pairedBy: 'join' | 'invite' | 'approve'
}

/** A join command that was given out and not used yet. */
export interface StoredJoin {
	readonly tokenId: string
	readonly secret: Uint8Array
	/** As written into the bundle: the pairing secret is bound to it. */
	readonly origin: string
	readonly expiresAtMs: number
}

/** What a client remembers, across restarts and reloads. Each write is whole or not there at all. */
export interface DeviceStore {
	pairings(): Promise<readonly StoredPairing[]>
	pairing(nodeId: NodeId): Promise<StoredPairing | undefined>
	putPairing(pairing: StoredPairing): Promise<void>
	deletePairing(nodeId: NodeId): Promise<void>
	joins(): Promise<readonly StoredJoin[]>
	putJoin(join: StoredJoin): Promise<void>
	deleteJoin(tokenId: string): Promise<void>
}
