import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
	createLinkAcceptor,
	type KnockContext,
	type LinkAcceptor,
	makeIdentity,
	runCryptoSync,
	systemClock,
} from '@sallyport/carrier'
import { createNodeCrypto } from '@sallyport/carrier/node'
import { silentLogger } from '@sallyport/protocol'
import { dialWebSocket } from '@sallyport/transport/node'
import { beforeAll, describe, expect, it } from 'vitest'
import { initiateChannel } from '../../../packages/carrier/src/secure-channel/open-channel.ts'
import { openHop } from '../../../packages/client/src/hop/open-hop.ts'
import { useScope, waitFor } from '../harness/index.ts'
import type { Sender, Tricks } from './cheating-path.ts'
import { collect, type Machine, openEcho, type Person, type Stand, startStand } from './stand.ts'

const scope = useScope()
const crypto = createNodeCrypto()
let stand: Stand
let machine: Machine
let other: Machine
let person: Person

beforeAll(async () => {
	stand = await startStand(scope)
	machine = await stand.machine('box')
	other = await stand.machine('elsewhere')
	person = await stand.paired(machine)
	person.client.close()
})

/** Everything that must not change at a node and a device on a relay's doing. */
async function trust() {
	const client = await person.reopen()
	const { sessions } = machine.agent.status()
	return { sessions, terminals: machine.agent.status().terminals.length, pairings: await client.pairings() }
}

async function refusalOf(tricks: Tricks): Promise<{ code: string; message: string }> {
	const before = await trust()
	const client = await person.reopen()
	stand.path.tricks = tricks
	const error: unknown = await client.connect(machine.agent.nodeId).then(
		() => undefined,
		(caught: unknown) => caught,
	)
	stand.path.tricks = {}
	client.close()
	expect(error).toMatchObject({ name: 'ClientError', message: expect.stringMatching(/^\S.{15,}/) })
	expect(await trust()).toEqual(before)
	await waitFor('no link to be left', () => machine.agent.status().links.length === 0)
	return error as { code: string; message: string }
}

/** Changes the handshake message at `index` of a sender. */
const onHandshake = (sender: Sender, index: number, change: (bytes: Uint8Array) => readonly Uint8Array[]): Tricks => ({
	onBinary: (passing) =>
		passing.leg.path === '/api/web/ws' && passing.sender === sender && passing.index === index
			? change(passing.message)
			: [passing.message],
})

const flip = (at: number) => (bytes: Uint8Array) => {
	const copy = Uint8Array.from(bytes)
	const index = at < 0 ? copy.length + at : Math.min(at, copy.length - 1)
	copy[index] = (copy[index] ?? 0) ^ 0x10
	return [copy]
}

describe('a relay that alters a handshake', () => {
	const messages: readonly (readonly [string, Sender, number])[] = [
		['message 1', 'dialler', 0],
		['message 2', 'relay', 0],
		['message 3', 'dialler', 1],
	]
	const places: readonly (readonly [string, number])[] = [
		['its suite', 0],
		['its key', 5],
		['its middle', 90],
		['its end', -1],
	]
	for (const [name, sender, index] of messages)
		it.each(places)(`by a bit of ${name}, in %s, gets no link`, async (_place, at) => {
			const { code } = await refusalOf(onHandshake(sender, index, flip(at)))
			expect(['handshake_failed', 'key_changed', 'link_ended', 'timed_out']).toContain(code)
		})

	it('by going back to the answer of an older one, is refused', async () => {
		const older = stand.path.legs.find((leg) => leg.path === '/api/web/ws' && leg.seen.relay.length > 1)?.seen.relay[0]
		if (older === undefined) throw new Error('no older handshake was seen')
		expect((await refusalOf(onHandshake('relay', 0, () => [older]))).code).toBe('handshake_failed')
	})
})

describe('a relay that brings another machine', () => {
	it('of its own users under the name of the right one, is refused, and nothing was told to it', async () => {
		const { code } = await refusalOf({
			onText: ({ leg, sender, message }) =>
				leg.path === '/api/web/ws' && sender === 'dialler'
					? [message.replace(machine.agent.nodeId, other.agent.nodeId)]
					: [message],
		})
		expect(['handshake_failed', 'key_changed', 'link_ended']).toContain(code)
		expect(other.agent.status().links).toEqual([])
	})

	it('that claims the id of the right one with a key of its own, is shown as a changed key', async () => {
		const knocks: string[] = []
		const impostor = createImpostor(machine.agent.nodeId, knocks)
		const { code, message } = await refusalOf({
			onDial: (path, socket) => {
				if (path !== '/api/web/ws') return false
				playRelay(socket, impostor)
				return true
			},
		})
		expect(code).toBe('key_changed')
		expect(message).toContain('its key is another')
		expect(message).toContain('someone is in between')
		expect(knocks).toEqual([])
	})
})

function createImpostor(nodeId: typeof machine.agent.nodeId, knocks: string[]): LinkAcceptor {
	const identity = runCryptoSync(crypto, makeIdentity('node', Date.now()))
	const refuse = async () => {
		knocks.push('a device named itself')
		return { kind: 'gone', reason: 'revoked' } as const
	}
	return createLinkAcceptor({
		crypto,
		identity: () => identity,
		node: () => ({ nodeId, name: 'box', hostname: 'box', os: 'linux', agentVersion: '0', endpoints: [] }),
		gate: {
			pairingSecret: async () => randomBytes(32),
			lastSerial: async () => undefined,
			admit: refuse,
			pairBySecret: refuse,
			enterPairing: async () => ({ kind: 'failed', reason: 'denied' }),
			awaitApproval: () => ({
				outcome: Promise.resolve({ kind: 'failed', reason: 'denied' }),
				end: () => Promise.resolve(false),
			}),
			linkOpened: () => ({ onStream: () => undefined, onRequest: () => undefined }),
		},
		clock: systemClock,
		log: silentLogger,
	})
}

const KNOCK: KnockContext = { via: 'relay', origin: 'http://127.0.0.1', user: 'ann', address: '192.0.2.1' }

/** Says what a relay says up to `opened`, and hands the socket to whoever plays the machine. */
function playRelay(socket: Parameters<NonNullable<Tricks['onDial']>>[1], acceptor: LinkAcceptor): void {
	const say = (message: object): void => socket.sendText(JSON.stringify(message))
	socket.setHandlers({
		onText: () => {
			say({ op: 'hello_ok', version: 1 })
			say({ op: 'opened' })
			acceptor.accept(socket, KNOCK)
		},
		onBinary: () => undefined,
		onClose: () => undefined,
	})
	say({
		op: 'auth_required',
		relay_id: stand.relay.relayId,
		challenge: randomBytes(32).toString('base64url'),
		transport: 'websocket',
		versions: [1],
	})
}

/** A socket to the machine on which `opened` was said, as whoever holds the account gets it. */
async function openedSocket() {
	const socket = await dialWebSocket(`${stand.path.origin.replace('http', 'ws')}/api/web/ws`)
	await openHop(socket, { nodeId: machine.agent.nodeId, credential: { token: stand.token }, clock: systemClock })
	return socket
}

describe('a relay that replays', () => {
	it('a first message, changes nothing at the machine', async () => {
		const before = await trust()
		const client = await person.reopen()
		await client.connect(machine.agent.nodeId)
		const first = stand.path.latest('/api/web/ws').seen.dialler[0] ?? new Uint8Array()
		client.close()
		await waitFor('the link to end', () => machine.agent.status().links.length === 0)
		const socket = await openedSocket()
		const answer = new Promise<number>((resolve) =>
			socket.setHandlers({ onText: () => undefined, onBinary: (bytes) => resolve(bytes.length), onClose: () => resolve(0) }),
		)
		socket.sendBinary(Uint8Array.from(first))
		expect(await answer).toBeGreaterThan(0)
		expect(machine.agent.status().links).toEqual([])
		socket.terminate()
		expect(await trust()).toEqual(before)
	})

	it('all that a device sent, runs no command again', async () => {
		const file = join(scope.folder, 'ran')
		const client = await person.reopen()
		const connection = await client.connect(machine.agent.nodeId)
		const run = collect(await connection.openExec(['sh', '-c', `echo once >> ${file}`]))
		await run.closed
		const recorded = stand.path.latest('/api/web/ws').seen.dialler.slice()
		client.close()
		await waitFor('the link to end', () => machine.agent.status().links.length === 0)
		const socket = await openedSocket()
		const closed = new Promise<number>((resolve) =>
			socket.setHandlers({ onText: () => undefined, onBinary: () => undefined, onClose: ({ code }) => resolve(code) }),
		)
		for (const bytes of recorded) socket.sendBinary(Uint8Array.from(bytes))
		expect([4412, 1006]).toContain(await closed)
		expect(machine.agent.status().links).toEqual([])
		expect(existsSync(file) && readFileSync(file, 'utf8')).toBe('once\n')
	})
})

describe('a stolen link id', () => {
	it('without the keys of its device resumes nothing, and the link goes on', async () => {
		const client = await person.reopen()
		const connection = await client.connect(machine.agent.nodeId)
		const echo = await openEcho(connection)
		echo.stream.write(Buffer.from('before '))
		await waitFor('the echo', () => echo.bytes().toString() === 'before ')
		const thief = runCryptoSync(crypto, makeIdentity('device', Date.now()))
		const received: Uint8Array[] = []
		for (const attempt of [1, 2, 1_000_000]) {
			const opened = await initiateChannel({
				socket: await openedSocket(),
				crypto,
				nodeId: machine.agent.nodeId,
				identity: { linkKey: thief.linkKey, certificate: thief.certificate },
				nowMs: Date.now(),
				intent: 'resume',
				decide: async () => ({ intent: 'resume', features: [], link_id: connection.link.id, attempt, received: 0 }),
			})
			if (!opened.ok) throw new Error(opened.error.detail)
			await new Promise<void>((resolve) =>
				opened.value.channel.setHandlers({
					onRecord: (bytes) => void received.push(Uint8Array.from(bytes)),
					onEnd: () => resolve(),
				}),
			)
		}
		const said = received.map((bytes) => Buffer.from(bytes).toString('latin1'))
		expect(said).toHaveLength(3)
		for (const text of said) {
			expect(text).toContain('"op":"link_refused"')
			expect(text).toContain('resume_failed')
		}
		echo.stream.write(Buffer.from('after'))
		await waitFor('the echo', () => echo.bytes().toString() === 'before after')
		expect(connection.link.isOpen).toBe(true)
		client.close()
	})
})
