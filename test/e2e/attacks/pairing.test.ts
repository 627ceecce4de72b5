import { randomBytes } from 'node:crypto'
import {
	createLinkAcceptor,
	type LinkAcceptor,
	makeIdentity,
	nodeIdOf,
	openClientLink,
	runCryptoSync,
	systemClock,
} from '@sallyport/carrier'
import { createNodeCrypto } from '@sallyport/carrier/node'
import { parseJoinBundle, silentLogger } from '@sallyport/protocol'
import { dialWebSocket } from '@sallyport/transport/node'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openHop } from '../../../packages/client/src/hop/open-hop.ts'
import { useScope, waitFor, within } from '../harness/index.ts'
import type { Tricks } from './cheating-path.ts'
import { type Machine, type Stand, startStand } from './stand.ts'

const scope = useScope()
const crypto = createNodeCrypto()
let stand: Stand
let machine: Machine

beforeAll(async () => {
	stand = await startStand(scope)
	machine = await stand.machine('box')
})
afterEach(() => {
	stand.path.tricks = {}
})

/** A socket past `opened` at the machine, as the relay itself can always make one. */
async function socketToMachine() {
	const socket = await dialWebSocket(`${stand.path.target.replace('http', 'ws')}/api/web/ws`)
	await openHop(socket, { nodeId: machine.agent.nodeId, credential: { token: stand.token }, clock: systemClock })
	return socket
}

describe('a relay in the middle of a pairing by approve code', () => {
	/**
	 * It plays the machine to the device under the machine's name with a key of its own, and the device to the machine.
	 * The device asks for the node that the relay named to it: a name is all that people see at first.
	 */
	it('makes two codes: the machine refuses the one that the person reads, and the device trusts nobody', async () => {
		const impostor = createImpostor()
		stand.path.tricks = {
			onDial: (path, socket) => {
				if (path !== '/api/web/ws') return false
				playRelay(socket, impostor.acceptor)
				return true
			},
		}
		const { client } = await stand.device('victim')
		const request = client.requestApproval(impostor.nodeId)
		const shownToPerson = await within('the code on the device', request.code)

		const evil = runCryptoSync(crypto, makeIdentity('device', Date.now()))
		let codeOfRelay = ''
		let returnCodeTries = 0
		const relayAsDevice = openClientLink({
			socket: await socketToMachine(),
			crypto,
			identity: evil,
			nodeId: machine.agent.nodeId,
			intent: {
				kind: 'approve',
				deviceName: 'victim',
				deviceKind: 'cli',
				onState: (state) => {
					if (state.kind === 'code') codeOfRelay = state.code
				},
				askReturnCode: async () => String(returnCodeTries++).padStart(4, '0'),
			},
			clock: systemClock,
		}).then(
			() => 'in',
			(error: unknown) => (error instanceof Error ? error.message : String(error)),
		)
		const asked = await waitFor(
			'the request at the machine',
			async () => (await machine.control.ask({ op: 'pairing_request' })).request,
		)
		await waitFor('the relay to see its own code', () => codeOfRelay !== '')
		expect(codeOfRelay).not.toBe(shownToPerson)

		// The person types what the device shows, twice.
		const first = await machine.control.ask({ op: 'approve', request_id: asked.request_id, digits: shownToPerson })
		expect(first).toEqual({ kind: 'wrong_code', attemptsLeft: 1 })
		const second = await machine.control.ask({ op: 'approve', request_id: asked.request_id, digits: shownToPerson })
		expect(second).toEqual({ kind: 'burned' })
		expect(await within('the relay to be turned away', relayAsDevice)).toMatch(/wrong digits/)
		expect((await machine.control.ask({ op: 'sessions' })).sessions).toEqual([])

		// The relay claims that all is well; there is no return code to carry, so whatever it makes the person type is wrong.
		impostor.approve()
		await within(
			'the device to be told so',
			new Promise<void>((resolve) => void request.onState((state) => state.kind === 'approved' && resolve())),
		)
		const paired = request.paired.then(
			() => 'trusted',
			(error: unknown) => error,
		)
		const answers = [await request.confirm('0000'), await request.confirm('1111'), await request.confirm('2222')]
		expect(answers).toEqual([false, false, false])
		const outcome = await within('the device to give up', paired)
		expect(outcome).toMatchObject({ code: 'wrong_code', message: expect.stringContaining('nothing was trusted') })
		expect(await client.pairings()).toEqual([])
		stand.path.tricks = {}
		client.close()
	})

	it('of which many are opened at once, gets one turn at a time', async () => {
		const devices = Array.from({ length: 4 }, () => runCryptoSync(crypto, makeIdentity('device', Date.now())))
		const states: string[][] = devices.map(() => [])
		const abort = new AbortController()
		for (const [index, identity] of devices.entries()) {
			openClientLink({
				socket: await socketToMachine(),
				crypto,
				identity,
				nodeId: machine.agent.nodeId,
				intent: {
					kind: 'approve',
					deviceName: `device ${index}`,
					deviceKind: 'cli',
					onState: ({ kind }) => void states[index]?.push(kind),
					askReturnCode: async () => '0000',
				},
				clock: systemClock,
				signal: abort.signal,
			}).catch(() => undefined)
		}
		await waitFor('all to be there', () => states.every((seen) => seen.length > 0))
		expect(states.filter((seen) => seen.includes('code'))).toHaveLength(1)
		expect(states.filter((seen) => seen.at(-1) === 'queued')).toHaveLength(3)
		abort.abort()
		await waitFor('the desk to be free', async () => (await machine.control.ask({ op: 'pairing_request' })).request === undefined)
	})
})

/** A machine of the relay's own, which says what the relay wants. */
function createImpostor() {
	const identity = runCryptoSync(crypto, makeIdentity('node', Date.now()))
	const nodeId = runCryptoSync(crypto, nodeIdOf(identity.identityKey))
	let approve = (): void => {}
	const approved = new Promise<void>((resolve) => {
		approve = resolve
	})
	const session = {
		session_id: randomBytes(16).toString('base64url'),
		device_id: nodeId,
		device_name: 'victim',
		user: 'ann',
		capabilities: ['shell'],
		created_at: 0,
		last_seen_at: 0,
		idle_expires_at: 1,
		absolute_expires_at: 1,
		paired_by: 'approve',
		address: '192.0.2.1',
		connected: true,
		current: true,
		// Safe: this is what a liar sends; the device never gets as far as reading it.
	} as never
	const gone = async () => ({ kind: 'gone', reason: 'unknown' }) as const
	const acceptor: LinkAcceptor = createLinkAcceptor({
		crypto,
		identity: () => identity,
		node: () => ({ nodeId, name: 'box', hostname: 'box', os: 'linux', agentVersion: '0', endpoints: [] }),
		gate: {
			pairingSecret: async () => undefined,
			lastSerial: async () => undefined,
			admit: gone,
			pairBySecret: gone,
			enterPairing: async () => ({ kind: 'turn', nonce: new Uint8Array(randomBytes(32)), expiresAtMs: Date.now() + 60_000 }),
			awaitApproval: () => ({ outcome: approved.then(() => ({ kind: 'approved', session })), end: () => Promise.resolve(true) }),
			linkOpened: () => ({ onStream: () => undefined, onRequest: () => undefined }),
		},
		clock: systemClock,
		log: silentLogger,
	})
	return { acceptor, nodeId, approve }
}

function playRelay(socket: Parameters<NonNullable<Tricks['onDial']>>[1], acceptor: LinkAcceptor): void {
	const say = (message: object): void => socket.sendText(JSON.stringify(message))
	socket.setHandlers({
		onText: () => {
			say({ op: 'hello_ok', version: 1 })
			say({ op: 'opened' })
			acceptor.accept(socket, { via: 'relay', origin: stand.path.origin, user: 'ann', address: '192.0.2.1' })
		},
		onBinary: () => undefined,
		onClose: () => undefined,
	})
	const challenge = randomBytes(32).toString('base64url')
	say({ op: 'auth_required', relay_id: stand.relay.relayId, challenge, transport: 'websocket', versions: [1] })
}

describe('an invite', () => {
	it('that twenty devices use at the same moment lets exactly one in', async () => {
		const before = machine.agent.status().sessions
		const invite = await machine.invite()
		const devices = await Promise.all(Array.from({ length: 20 }, (_, index) => stand.device(`racer-${index}`)))
		const results = await Promise.allSettled(devices.map(({ client }) => client.pairByInvite(invite)))
		expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
		for (const result of results)
			if (result.status === 'rejected')
				expect(result.reason).toMatchObject({ name: 'ClientError', message: expect.stringMatching(/\S{4,}/) })
		expect(machine.agent.status().sessions).toBe(before + 1)
		const pairings = await Promise.all(devices.map(async ({ client }) => (await client.pairings()).length))
		expect(pairings.filter((count) => count === 1)).toHaveLength(1)
		for (const { client } of devices) client.close()
	})

	it('lets its one device in again until its first open, and then nobody', async () => {
		const invite = await machine.invite()
		const person = await stand.device('again')
		const first = await person.client.pairByInvite(invite)
		const second = await person.client.pairByInvite(invite)
		expect(second.nodeId).toBe(first.nodeId)
		person.client.close()
		const client = await person.reopen()
		await client.connect(machine.agent.nodeId)
		await expect(client.pairByInvite(invite)).rejects.toMatchObject({ name: 'ClientError' })
		const thief = await stand.device('thief')
		await expect(thief.client.pairByInvite(invite)).rejects.toMatchObject({ name: 'ClientError' })
		expect(await thief.client.pairings()).toEqual([])
		client.close()
	})
})

describe('a join', () => {
	it('used by two machines enrols one, and pairs with the one device that made it', async () => {
		const maker = await stand.device('maker')
		const offer = await maker.client.createJoin({ name: 'joined', user: 'ann' })
		const text = offer.command.replace('sally agent join ', '')
		const bundle = parseJoinBundle(text)
		if (!bundle.ok) throw new Error(bundle.error.detail)
		const machines = [await stand.freshAgent('joiner-1'), await stand.freshAgent('joiner-2')]
		const results = await Promise.allSettled(machines.map(({ agent }) => agent.join(text, async () => true)))
		expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
		const winner = machines[results.findIndex(({ status }) => status === 'fulfilled')]
		if (winner === undefined) throw new Error('nobody joined')
		const joined = await within('the join to pair', offer.joined)
		expect(joined.id).toBe(winner.agent.nodeId)
		expect(winner.agent.status().sessions).toBe(1)

		// A second device with the whole text, secret and all: it isn't the one that the text names.
		const thief = await stand.device('join-thief')
		const secret = { invite_id: offer.tokenId, secret: bundle.value.secret, origin: bundle.value.origin }
		const stolen = {
			...secret,
			relay_id: bundle.value.relay_id,
			node_id: winner.agent.nodeId,
			node_name: 'joined',
			expires: Date.now() + 60_000,
		}
		await expect(thief.client.pairByInvite(stolen)).rejects.toMatchObject({ name: 'ClientError' })
		expect(winner.agent.status().sessions).toBe(1)
		for (const { client } of [maker, thief]) client.close()
	})
})
