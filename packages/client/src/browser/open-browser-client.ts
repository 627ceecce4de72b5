import { deviceIdOf, openClientLink, runCrypto, systemClock } from '@sallyport/carrier'
import { createWebCrypto } from '@sallyport/carrier/browser'
import { type Logger, silentLogger } from '@sallyport/protocol'
import { dialWebSocket } from '@sallyport/transport/browser'
import { createClient } from '../create-client.ts'
import { createHttp } from '../http/http.ts'
import { createPageCredential } from '../http/page-session.ts'
import type { PageSession, SallyClient } from '../sally-client.ts'
import { openDatabase } from './database.ts'
import { createDatabaseStore } from './database-store.ts'
import { describeBrowser } from './describe-browser.ts'
import { loadDeviceKeys } from './device-keys.ts'

export interface BrowserClientOptions {
	/** The relay's origin and path prefix, without a trailing slash. */
	readonly origin: string
	/** How pairing dialogs call this browser. @default its name and system */
	readonly deviceName?: string
	readonly log?: Logger
}

export interface BrowserClient {
	readonly client: SallyClient
	readonly page: PageSession
	/** False: the browser may clear the page's keys and pairings when it runs out of room. */
	readonly isPersistent: boolean
}

/** Rejects `storage` where the browser keeps nothing for the page. */
export async function openBrowserClient(options: BrowserClientOptions): Promise<BrowserClient> {
	const clock = systemClock
	const log = options.log ?? silentLogger
	const crypto = createWebCrypto()
	const database = await openDatabase()
	const identity = await loadDeviceKeys(database, crypto, clock.nowMs())
	const http = createHttp({ origin: options.origin, fetch: (url, init) => fetch(url, init), clock })
	const { session, credential, signOut } = createPageCredential(http, clock)
	const client = createClient({
		http,
		credential,
		signOut,
		dial: (url, signal) => dialWebSocket(url, signal === undefined ? {} : { signal }),
		openLink: (request) => openClientLink({ ...request, crypto, identity, clock, log }),
		store: createDatabaseStore(database),
		device: {
			id: await runCrypto(crypto, deviceIdOf(identity.identityKey)),
			identityKey: identity.identityKey.publicKey,
			name: options.deviceName ?? describeBrowser(navigator.userAgent),
			kind: 'browser',
		},
		clock,
		randomBytes: (length) => globalThis.crypto.getRandomValues(new Uint8Array(length)),
		onWake,
	})
	return { client, page: session, isPersistent: await persist() }
}

async function persist(): Promise<boolean> {
	// Old browsers have no storage manager, and some refuse by throwing: then the keys live as long as they live.
	return navigator.storage?.persist?.().catch(() => false) ?? false
}

function onWake(listener: () => void): () => void {
	const onVisible = (): void => {
		if (document.visibilityState === 'visible') listener()
	}
	addEventListener('online', listener)
	document.addEventListener('visibilitychange', onVisible)
	return () => {
		removeEventListener('online', listener)
		document.removeEventListener('visibilitychange', onVisible)
	}
}
