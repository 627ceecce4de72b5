import { openPrivateDirectory } from '@sallyport/carrier/node'
import { deviceIdFromHash, silentLogger } from '@sallyport/protocol'
import { PairingBook } from '../gate/pairing-book.ts'
import { openDocument } from '../state/document.ts'
import { pairingsSchema } from '../state/pairing-schema.ts'

/** Makes device sessions without end, printing each that the disk has: for a test that kills it at any moment. */
const directory = await openPrivateDirectory(process.argv[2] ?? '')
const document = await openDocument({
	directory,
	name: 'pairings',
	schema: pairingsSchema,
	log: silentLogger,
	onCorrupt: 'refuse',
	title: 'pairings',
})
const book = new PairingBook(
	document,
	() => Date.now(),
	() => undefined,
)
for (let number = book.sessions.length; ; number++) {
	const key = new Uint8Array(32)
	new DataView(key.buffer).setUint32(0, number + 1)
	const session = await book.createSession({
		deviceId: deviceIdFromHash(key),
		identityKey: key,
		deviceName: `device ${number}`,
		user: 'ada',
		userId: undefined,
		capabilities: ['shell'],
		pairedBy: 'invite',
		address: '192.0.2.1',
		serial: 1,
	})
	process.stdout.write(`${session.session_id}\n`)
}
