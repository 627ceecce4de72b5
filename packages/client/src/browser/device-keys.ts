import { type CryptoDriver, type Identity, makeIdentity, renewIdentity, runCrypto } from '@sallyport/carrier'
import { identityToStored, storedToIdentity } from '@sallyport/carrier/browser'
import { ClientError } from '../errors.ts'
import { type Database, STORES } from './database.ts'

const KEY = 'identity'

/** This browser profile's keys, made on first use. They are non-extractable: the page uses them and can't read them. */
export async function loadDeviceKeys(database: Database, crypto: CryptoDriver, nowMs: number): Promise<Identity> {
	const found = await database.get(STORES.keys, KEY)
	if (found === undefined) {
		const made = await runCrypto(crypto, makeIdentity('device', nowMs))
		return read(await database.putIfAbsent(STORES.keys, KEY, identityToStored(made)))
	}
	return alone(async () => {
		const identity = read(await database.get(STORES.keys, KEY))
		const renewed = await runCrypto(crypto, renewIdentity(identity, nowMs))
		if (renewed !== identity) await database.put(STORES.keys, KEY, identityToStored(renewed))
		return renewed
	})
}

function read(stored: unknown): Identity {
	const identity = storedToIdentity(stored)
	if (identity.ok) return identity.value
	throw new ClientError(
		'storage',
		"this browser's keys for the page are damaged: clear the page's site data, reload, and pair again",
		{ cause: identity.error },
	)
}

/** Two tabs must not renew at once: the certificate with the lower serial would be refused later. */
async function alone<T>(act: () => Promise<T>): Promise<T> {
	return 'locks' in navigator ? navigator.locks.request('sallyport-identity', act) : act()
}
