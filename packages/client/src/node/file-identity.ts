import { join } from 'node:path'
import { type Identity, makeIdentity, renewIdentity, runCrypto } from '@sallyport/carrier'
import { createNodeCrypto, exportIdentity, importIdentity, type PrivateDirectory, type SealingKey } from '@sallyport/carrier/node'
import { ClientError } from '../errors.ts'
import { withFileLock } from './file-lock.ts'

const FILE = 'identity.sealed'
const PURPOSE = 'identity'
const MAX_BYTES = 8 * 1024
const LOCK = { waitMs: 5000, staleMs: 15_000 } as const

/**
 * This device's keys, made on first use. Under a lock: two processes must neither make two devices nor renew the
 * certificate twice, since a node refuses a serial lower than the last it saw.
 */
export async function loadFileIdentity(
	directory: PrivateDirectory,
	sealing: SealingKey,
	nowMs: number,
	onCorrupt: (name: string) => void = () => {},
): Promise<Identity> {
	const crypto = createNodeCrypto()
	const act = async (): Promise<Identity> => {
		const found = await read(directory, sealing, onCorrupt)
		const identity =
			found === undefined
				? await runCrypto(crypto, makeIdentity('device', nowMs))
				: await runCrypto(crypto, renewIdentity(found, nowMs))
		if (identity !== found) await directory.replace(FILE, sealing.seal(PURPOSE, exportIdentity(identity)))
		return identity
	}
	const identity = await withFileLock(join(directory.path, 'identity.lock'), LOCK, act)
	if (identity !== undefined) return identity
	throw new ClientError('storage', `another process holds ${directory.path}: end it and try again`)
}

async function read(
	directory: PrivateDirectory,
	sealing: SealingKey,
	onCorrupt: (name: string) => void,
): Promise<Identity | undefined> {
	const sealed = await directory.read(FILE, MAX_BYTES)
	if (sealed === undefined) return undefined
	const plain = sealing.open(PURPOSE, sealed)
	const identity = plain === undefined ? undefined : importIdentity(plain)
	plain?.fill(0)
	if (identity?.ok === true) return identity.value
	onCorrupt(await directory.setAside(FILE))
	return undefined
}
