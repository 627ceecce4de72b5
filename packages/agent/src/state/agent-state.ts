import type { Clock } from '@sallyport/carrier'
import type { PrivateDirectory, SealingKey } from '@sallyport/carrier/node'
import { loadSealingKey, openPrivateDirectory } from '@sallyport/carrier/node'
import type { Logger } from '@sallyport/protocol'
import type { AgentConfig } from '../config/config.ts'
import type { StoredHostKeys } from '../streams/host-keys.ts'
import { hostKeysSchema } from '../streams/host-keys.ts'
import type { Document } from './document.ts'
import { openDocument } from './document.ts'
import type { NodeIdentity } from './node-identity.ts'
import { loadNodeIdentity } from './node-identity.ts'
import type { StoredPairings } from './pairing-schema.ts'
import { pairingsSchema } from './pairing-schema.ts'
import type { RelayPin } from './relay-pin.ts'
import { relayPinSchema } from './relay-pin.ts'

/** Everything that the agent keeps on disk. */
export interface AgentState {
	readonly directory: PrivateDirectory
	readonly sealingKey: SealingKey
	readonly identity: NodeIdentity
	readonly relay: Document<RelayPin>
	readonly pairings: Document<StoredPairings>
	readonly hostKeys: Document<StoredHostKeys>
}

/**
 * Opens the data folder.
 *
 * @throws {SecureFileError} when the folder or a file in it isn't private
 * @throws {AgentError} `state_corrupt`
 */
export async function openAgentState(
	config: AgentConfig,
	deps: { readonly clock: Clock; readonly log: Logger; readonly env: NodeJS.ProcessEnv },
): Promise<AgentState> {
	const directory = await openPrivateDirectory(config.dataDir)
	const { CREDENTIALS_DIRECTORY: credentialsDirectory } = deps.env
	const sealingKey = await loadSealingKey({
		directory,
		...(credentialsDirectory === undefined ? {} : { credentialsDirectory }),
		...(config.passphraseFile === undefined ? {} : { passphraseFile: config.passphraseFile }),
	})
	const shared = { directory, log: deps.log }
	return {
		directory,
		sealingKey,
		identity: await loadNodeIdentity({ directory, sealingKey, nowMs: deps.clock.nowMs() }),
		relay: await openDocument({
			...shared,
			name: 'relay.json',
			schema: relayPinSchema,
			onCorrupt: 'refuse',
			title: 'the record of the relay',
		}),
		// Without them every device has to pair again, which is safe; an agent that doesn't start helps nobody.
		pairings: await openDocument({
			...shared,
			name: 'pairings.sealed',
			schema: pairingsSchema,
			sealingKey,
			onCorrupt: 'start_empty',
			title: 'the pairings',
		}),
		// Forgetting a host's key would take a changed one for new.
		hostKeys: await openDocument({
			...shared,
			name: 'host-keys.json',
			schema: hostKeysSchema,
			onCorrupt: 'refuse',
			title: 'the keys of known SSH hosts',
		}),
	}
}
