import { hostname, userInfo } from 'node:os'
import {
	type CommandClient,
	type DirectClient,
	type NodeProfile,
	openDirectClient,
	openNodeClient,
	openNodeProfile,
} from '@sallyport/client/node'
import { directUrl } from '../text/direct-address.ts'
import { type ProfilePaths, profilePaths } from './paths.ts'
import { type SessionFile, sessionFile } from './session.ts'

/** One relay with one account, and this computer's keys for it. */
export interface Profile {
	readonly paths: ProfilePaths
	readonly files: NodeProfile
	readonly session: SessionFile
	/** A client of the signed-in relay; fails with the sentence that says to sign in. */
	openClient(): Promise<CommandClient>
	/** A client of a machine's own address, `HOST:PORT`; needs no sign-in. */
	openDirect(address: string): Promise<DirectClient>
}

export async function openProfile(name: string, env: NodeJS.ProcessEnv): Promise<Profile> {
	const paths = profilePaths(name, env)
	const files = await openNodeProfile(paths.dataDir, env)
	const session = sessionFile(files.directory, files.sealing)
	return {
		paths,
		files,
		session,
		async openClient() {
			const { origin, relayId } = await session.require()
			const token = async (): Promise<string> => (await session.require()).token
			return openNodeClient({ profile: files, origin, relayId, token, deviceName: deviceName() })
		},
		openDirect: async (address) => openDirectClient({ profile: files, url: directUrl(address), deviceName: deviceName() }),
	}
}

/** How pairing dialogs call this computer: `ada@laptop`. */
export function deviceName(): string {
	return `${userInfo().username}@${hostname()}`.slice(0, 128)
}
