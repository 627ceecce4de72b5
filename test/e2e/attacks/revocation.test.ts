import { randomBytes } from 'node:crypto'
import { type LinkEnd, makeIdentity, openClientLink, runCryptoSync, systemClock } from '@sallyport/carrier'
import { createNodeCrypto } from '@sallyport/carrier/node'
import { openNodeClient, openNodeProfile } from '@sallyport/client/node'
import { parseWith, sessionIdSchema } from '@sallyport/protocol'
import { dialWebSocket } from '@sallyport/transport/node'
import { beforeAll, describe, expect, it } from 'vitest'
import { openHop } from '../../../packages/client/src/hop/open-hop.ts'
import { useScope, waitFor, within } from '../harness/index.ts'
import { collect, type Machine, type Person, type Stand, startStand } from './stand.ts'

const scope = useScope()
const crypto = createNodeCrypto()
let stand: Stand
let machine: Machine

beforeAll(async () => {
	stand = await startStand(scope)
	machine = await stand.machine('box')
})

/** A link with a program that runs for ever, and the time until both sides are rid of both. */
async function openAndTime(connect: () => ReturnType<Person['client']['connect']>) {
	const connection = await connect()
	const running = collect(await connection.openExec(['sh', '-c', 'echo $$; exec sleep 600']))
	const pid = Number(await waitFor('the program', () => /^\d+\n$/.exec(running.bytes().toString())?.[0]))
	return async (revoke: () => Promise<unknown>): Promise<{ end: LinkEnd; elapsedMs: number }> => {
		await revoke()
		const since = performance.now()
		const end = await within('the device to lose its link', connection.link.ended)
		await waitFor('the machine to drop the link', () => machine.agent.status().links.length === 0)
		const elapsedMs = performance.now() - since
		await running.closed
		await waitFor('the program to be ended', () => !isAlive(pid))
		return { end, elapsedMs }
	}
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0)
		return true
	} catch {
		return false
	}
}

async function clientWith(token: string) {
	const profile = await openNodeProfile(`${scope.folder}/profile-${randomBytes(4).toString('hex')}`)
	const client = await openNodeClient({ profile, origin: stand.path.origin, token: async () => token, deviceName: 'it' })
	scope.defer(() => client.close())
	await client.pairByInvite(await machine.invite())
	return client
}

async function remove(path: string, token: string): Promise<void> {
	const response = await fetch(stand.path.origin + path, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } })
	expect(response.status).toBeLessThan(300)
}

describe('within a second, both sides lose link and streams when', () => {
	it('the device session is revoked at the machine', async () => {
		const { client } = await stand.paired(machine, 'revoked-at-node')
		const timed = await openAndTime(() => client.connect(machine.agent.nodeId))
		const sessionId = (await machine.control.ask({ op: 'sessions' })).sessions.find((session) => session.connected)?.session_id
		if (sessionId === undefined) throw new Error('no session is connected')
		const { end, elapsedMs } = await timed(() => machine.control.ask({ op: 'revoke', session_id: sessionId }))
		expect(end.code).toBe('session_revoked')
		expect(elapsedMs).toBeLessThan(1_000)
		await expect(client.connect(machine.agent.nodeId)).rejects.toMatchObject({ code: 'session_gone' })
		// Said by the machine, inside the link: now the device drops it.
		expect(await client.pairings()).toEqual([])
	})

	it('the access token is revoked at the relay', async () => {
		const made = await stand.client.api.createToken({ name: 'short-lived', scopes: ['nodes:read', 'nodes:open'] })
		const client = await clientWith(made.token)
		const timed = await openAndTime(() => client.connect(machine.agent.nodeId))
		const { end, elapsedMs } = await timed(() => stand.client.api.revokeToken(made.info.id))
		expect(end.code).toBe('connection_lost')
		expect(elapsedMs).toBeLessThan(1_000)
		await expect(client.connect(machine.agent.nodeId)).rejects.toMatchObject({ code: 'unauthenticated' })
		expect(await client.pairings()).toHaveLength(1)
	})

	it('the sign-in ends', async () => {
		const login = { email: 'ann@example.org', password: 'correct horse battery staple', device_name: 'two' }
		const token = String((await stand.post('/api/cli/login', login))['token'])
		const client = await clientWith(token)
		const timed = await openAndTime(() => client.connect(machine.agent.nodeId))
		const { elapsedMs } = await timed(() => remove('/api/session', token))
		expect(elapsedMs).toBeLessThan(1_000)
		expect(await client.pairings()).toHaveLength(1)
	})

	it('a person cuts the connection in the list of connections', async () => {
		const { client } = await stand.paired(machine, 'cut')
		const timed = await openAndTime(() => client.connect(machine.agent.nodeId))
		const { elapsedMs } = await timed(async () => {
			for (const { id } of await stand.client.api.connections()) await stand.client.api.closeConnection(id)
		})
		expect(elapsedMs).toBeLessThan(1_000)
	})

	it('the machine is removed from the relay', async () => {
		const doomed = await stand.machine('doomed')
		const { client } = await stand.paired(doomed, 'of-doomed')
		const connection = await client.connect(doomed.agent.nodeId)
		await remove(`/api/nodes/${doomed.agent.nodeId}`, stand.token)
		const since = performance.now()
		await within('the end', connection.link.ended)
		await waitFor('the machine to notice', () => doomed.agent.status().links.length === 0)
		expect(performance.now() - since).toBeLessThan(1_000)
		await waitFor('it to say what to do', () => {
			const state = doomed.agent.status().relay?.state
			return state?.kind === 'waiting' && state.needsPerson
		})
	})
})

describe('a device session', () => {
	/** Whoever knows the id of a session, and has keys of another device. */
	async function openWith(nodeId: Machine['agent']['nodeId'], sessionId: string) {
		const id = parseWith(sessionIdSchema, sessionId)
		if (!id.ok) throw new Error(id.error.detail)
		const socket = await dialWebSocket(`${stand.path.origin.replace('http', 'ws')}/api/web/ws`)
		await openHop(socket, { nodeId, credential: { token: stand.token }, clock: systemClock })
		const identity = runCryptoSync(crypto, makeIdentity('device', Date.now()))
		return openClientLink({ socket, crypto, identity, nodeId, intent: { kind: 'open', sessionId: id.value }, clock: systemClock })
	}

	it('without the key of its device opens nothing, and stays', async () => {
		const { client } = await stand.paired(machine, 'robbed')
		const { session } = await client.connect(machine.agent.nodeId)
		await expect(openWith(machine.agent.nodeId, session.session_id)).rejects.toMatchObject({ code: 'session_gone' })
		expect((await client.connect(machine.agent.nodeId)).link.isOpen).toBe(true)
		client.close()
	})

	it('of one machine means nothing to another', async () => {
		const second = await stand.machine('second')
		const { client } = await stand.paired(machine, 'of-first')
		const { session } = await client.connect(machine.agent.nodeId)
		await expect(openWith(second.agent.nodeId, session.session_id)).rejects.toMatchObject({ code: 'session_gone' })
		expect(second.agent.status().links).toEqual([])
		client.close()
	})

	it('that never was is answered like one of another device', async () => {
		const { client } = await stand.paired(machine, 'compared')
		const { session } = await client.connect(machine.agent.nodeId)
		const say = (sessionId: string) =>
			openWith(machine.agent.nodeId, sessionId).then(
				() => 'in',
				(error: unknown) => String(error),
			)
		expect(await say(session.session_id)).toBe(await say(randomBytes(16).toString('base64url')))
		client.close()
	})
})
