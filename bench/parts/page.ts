/** The echo bench inside a page: the page's own client library, from the key to the bytes that the terminal would draw. */
import { openBrowserClient } from '@sallyport/client/browser'
import { parseInvite } from '@sallyport/protocol'

export interface PageTask {
	readonly origin: string
	readonly email: string
	readonly password: string
	readonly invite: string
	readonly rounds: number
	readonly keys: number
}

async function pageEcho(task: PageTask): Promise<number[][]> {
	const { client, page } = await openBrowserClient({ origin: task.origin, deviceName: 'bench page' })
	await page.signIn(task.email, task.password)
	await page.resume()
	const invite = parseInvite(task.invite)
	if (!invite.ok) throw new Error(invite.error.detail)
	const pairing = await client.pairByInvite(invite.value)
	const connection = await client.connect(pairing.nodeId)
	const session = await connection.openTerminal({ cols: 80, rows: 24 })
	let onBytes = (_bytes: Uint8Array): void => {}
	session.onOutput((bytes, done) => {
		onBytes(bytes)
		done()
	})
	let seen = ''
	await new Promise<void>((resolve) => {
		onBytes = (bytes) => {
			seen += new TextDecoder().decode(bytes)
			if (seen.includes('READY')) resolve()
		}
		session.write(new TextEncoder().encode("stty raw -echo; printf 'RE''ADY'; exec cat\n"))
	})
	const rounds: number[][] = []
	for (let round = 0; round <= task.rounds; round++) {
		const times = await typeKeys(
			task.keys,
			(key) => session.write(key),
			(handler) => {
				onBytes = handler
			},
		)
		if (round > 0) rounds.push(times)
	}
	await connection.endTerminal(session.terminalId)
	client.close()
	return rounds
}

function typeKeys(keys: number, write: (key: Uint8Array) => void, listen: (handler: () => void) => void): Promise<number[]> {
	const times: number[] = []
	return new Promise((resolve) => {
		// A message, unlike a timer, is never held back by the browser.
		const turn = new MessageChannel()
		let sentMs = 0
		turn.port1.onmessage = () => {
			sentMs = performance.now()
			write(Uint8Array.of(97))
		}
		listen(() => {
			times.push(performance.now() - sentMs)
			if (times.length === keys) resolve(times)
			else turn.port2.postMessage(0)
		})
		turn.port2.postMessage(0)
	})
}

Object.assign(globalThis, { pageEcho })
