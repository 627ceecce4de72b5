import type { PrivateDirectory, SealingKey } from '@sallyport/carrier/node'
import {
	bytesToUtf8,
	nameField,
	parseJson,
	parseWith,
	type RelayId,
	relayIdSchema,
	textField,
	timeField,
	utf8ToBytes,
} from '@sallyport/protocol'
import * as v from 'valibot'
import { CliError, EXIT } from '../exit-codes.ts'

/** A sign-in at one relay, as a profile keeps it. */
export interface StoredSession {
	readonly origin: string
	readonly relayId: RelayId
	/** A `cli` token of `sally login`, or a PAT. */
	readonly token: string
	readonly email: string
	readonly username: string
	readonly expiresAtMs: number
}

const FILE = 'session.sealed'
const PURPOSE = 'session'
const MAX_BYTES = 16 * 1024

const schema: v.GenericSchema<unknown, StoredSession> = v.object({
	origin: textField(512),
	relayId: relayIdSchema,
	token: textField(4096),
	email: textField(320),
	username: nameField,
	expiresAtMs: timeField,
})

export interface SessionFile {
	read(): Promise<StoredSession | undefined>
	/** As `read`, but without a sign-in it fails with the sentence that says what to do. */
	require(): Promise<StoredSession>
	write(session: StoredSession): Promise<void>
	remove(): Promise<void>
}

export function sessionFile(directory: PrivateDirectory, sealing: SealingKey): SessionFile {
	const read = async (): Promise<StoredSession | undefined> => {
		const sealed = await directory.read(FILE, MAX_BYTES)
		if (sealed === undefined) return undefined
		const plain = sealing.open(PURPOSE, sealed)
		const text = plain === undefined ? undefined : bytesToUtf8(plain)
		const json = text?.ok === true ? parseJson(text.value, MAX_BYTES) : undefined
		const parsed = json?.ok === true ? parseWith(schema, json.value) : undefined
		if (parsed?.ok === true) return parsed.value
		const aside = await directory.setAside(FILE)
		throw new CliError(EXIT.notSignedIn, `the stored sign-in is damaged and was kept as ${aside}: run sally login again`)
	}
	return {
		read,
		async require() {
			const session = await read()
			if (session !== undefined) return session
			throw new CliError(EXIT.notSignedIn, 'not signed in: run sally login URL', { code: 'unauthenticated' })
		},
		write: (session) => directory.replace(FILE, sealing.seal(PURPOSE, utf8ToBytes(JSON.stringify(session)))),
		remove: () => directory.remove(FILE),
	}
}
