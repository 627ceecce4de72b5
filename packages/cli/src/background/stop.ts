import { buildId } from '../build-id.ts'
import type { ProfilePaths } from '../profile/paths.ts'
import { tryConnect } from './connect.ts'
import { readLine } from './line-reader.ts'
import { encodeRequest } from './local-protocol.ts'

/** Ends the profile's background process, if there is one: its links stand on a sign-in that is no more. */
export async function stopBackground(paths: ProfilePaths): Promise<void> {
	const socket = await tryConnect(paths.socket).catch(() => undefined)
	if (socket === undefined) return
	socket.write(encodeRequest(buildId(), { op: 'stop' }))
	await readLine(socket)
	socket.destroy()
}
