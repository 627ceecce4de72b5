import { randomBytes } from 'node:crypto'
import { deviceIdOf, openClientLink, runCrypto, systemClock } from '@sallyport/carrier'
import {
	createNodeCrypto,
	loadSealingKey,
	openPrivateDirectory,
	type PrivateDirectory,
	type SealingKey,
} from '@sallyport/carrier/node'
import { type Logger, silentLogger } from '@sallyport/protocol'
import { dialWebSocket } from '@sallyport/transport/node'
import { type CommandClient, createClient } from '../create-client.ts'
import { tokenCredential } from '../http/credential.ts'
import { createHttp } from '../http/http.ts'
import { loadFileIdentity } from './file-identity.ts'
import { createFileStore } from './file-store.ts'

export interface NodeProfile {
	readonly directory: PrivateDirectory
	readonly sealing: SealingKey
}

export interface NodeClientOptions {
	readonly profile: NodeProfile
	/** The relay's origin and path prefix, without a trailing slash. */
	readonly origin: string
	/** Pinned at sign-in. */
	readonly relayId?: string
	/** Asked for at each use: a sign-in may change under a long-lived process. */
	readonly token: () => Promise<string>
	readonly deviceName: string
	readonly log?: Logger
}

/** Opens the folder that holds a profile's keys and pairings, making it when there is none. */
export async function openNodeProfile(path: string, env: NodeJS.ProcessEnv = {}): Promise<NodeProfile> {
	const directory = await openPrivateDirectory(path)
	const credentialsDirectory = env['CREDENTIALS_DIRECTORY']
	const passphraseFile = env['SALLY_PASSPHRASE_FILE']
	const sealing = await loadSealingKey({
		directory,
		...(credentialsDirectory === undefined ? {} : { credentialsDirectory }),
		...(passphraseFile === undefined ? {} : { passphraseFile }),
	})
	return { directory, sealing }
}

/** A client over files and sockets of Node. */
export async function openNodeClient(options: NodeClientOptions): Promise<CommandClient> {
	const { profile, log = silentLogger } = options
	const clock = systemClock
	const crypto = createNodeCrypto()
	const warn = (name: string): void => log.warn('unreadable file was set aside', { name })
	const identity = await loadFileIdentity(profile.directory, profile.sealing, clock.nowMs(), warn)
	const http = createHttp({ origin: options.origin, fetch: (url, init) => fetch(url, init), clock })
	const credential = tokenCredential(options.token)
	return createClient({
		http,
		credential,
		signOut: async () => http.done({ method: 'DELETE', path: '/api/session', token: await options.token() }),
		dial: (url, signal) => dialWebSocket(url, signal === undefined ? {} : { signal }),
		openLink: (request) => openClientLink({ ...request, crypto, identity, clock, log }),
		store: createFileStore(profile.directory, profile.sealing, warn),
		device: {
			id: await runCrypto(crypto, deviceIdOf(identity.identityKey)),
			identityKey: identity.identityKey.publicKey,
			name: options.deviceName,
			kind: 'cli',
		},
		...(options.relayId === undefined ? {} : { relayId: options.relayId }),
		clock,
		randomBytes: (length) => new Uint8Array(randomBytes(length)),
	})
}
