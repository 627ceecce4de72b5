import type { Identity } from '@sallyport/carrier'
import { makeIdentity, nodeIdOf, renewIdentity, runCryptoSync } from '@sallyport/carrier'
import type { PrivateDirectory, SealingKey } from '@sallyport/carrier/node'
import { createNodeCrypto, exportIdentity, importIdentity } from '@sallyport/carrier/node'
import type { NodeId } from '@sallyport/protocol'
import { AgentError } from '../errors.ts'

/** Who this node is. */
export interface NodeIdentity {
	readonly nodeId: NodeId
	/** Ed25519. */
	readonly publicKey: Uint8Array
	/** As the carrier takes it; after `renewIfDue` another one. */
	readonly identity: Identity
	/** Signs with the identity key. The caller gives a `signingInput`. */
	sign(message: Uint8Array): Uint8Array
	/** A new link key and certificate at half life, stored before it is used. */
	renewIfDue(nowMs: number): Promise<void>
}

const FILE = 'identity.key'
const MAX_BYTES = 16 * 1024

/**
 * Loads the node's identity, or makes it on the first start. The private keys never leave the folder.
 *
 * @throws {AgentError} `state_corrupt` when it can't be read: a node doesn't silently become another one
 */
export async function loadNodeIdentity(options: {
	readonly directory: PrivateDirectory
	readonly sealingKey: SealingKey
	readonly nowMs: number
}): Promise<NodeIdentity> {
	const { directory, sealingKey } = options
	const crypto = createNodeCrypto()
	const store = (identity: Identity): Promise<void> => directory.replace(FILE, sealingKey.seal(FILE, exportIdentity(identity)))
	const stored = await readIdentity(directory, sealingKey)
	let current = stored ?? runCryptoSync(crypto, makeIdentity('node', options.nowMs))
	if (stored === undefined) await store(current)
	const { identityKey } = current
	const nodeId = runCryptoSync(crypto, nodeIdOf(identityKey))
	return {
		nodeId,
		publicKey: identityKey.publicKey,
		get identity() {
			return current
		},
		sign(message) {
			const result = crypto.perform({ kind: 'sign', key: identityKey, message })
			if (result.kind !== 'bytes') throw new Error('the identity key cannot sign')
			return result.bytes
		},
		async renewIfDue(nowMs) {
			const renewed = runCryptoSync(crypto, renewIdentity(current, nowMs))
			if (renewed === current) return
			await store(renewed)
			current = renewed
		},
	}
}

async function readIdentity(directory: PrivateDirectory, sealingKey: SealingKey): Promise<Identity | undefined> {
	const sealed = await directory.read(FILE, MAX_BYTES)
	if (sealed === undefined) return undefined
	const plain = sealingKey.open(FILE, sealed)
	const read = plain === undefined ? undefined : importIdentity(plain)
	if (read?.ok === true && read.value.role === 'node') return read.value
	const reason = plain === undefined ? 'it was altered, truncated, or sealed with another key' : 'it is damaged'
	const aside = await directory.setAside(FILE)
	throw new AgentError(
		'state_corrupt',
		`the identity of this machine (${directory.path}/${FILE}) cannot be read: ${reason}. It is kept as ${aside}: restore it from a backup, or start again to become a new machine, which has to join and to be paired again`,
	)
}
