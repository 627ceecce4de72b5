import { createServer } from 'node:http'
import { CLOSE, formatToken, TOKEN_RANDOM_BYTES, tokenFromRandom } from '@sallyport/protocol'
import { beforeAll, describe, expect, it } from 'vitest'
import { useScope, waitFor, within } from '../harness/index.ts'
import type { Leg, Passing, Tricks } from './cheating-path.ts'
import { type Machine, openEcho, type Person, type Stand, startStand } from './stand.ts'

/** Of the right shape, so that nothing but the origin speaks against it. */
const TICKET = formatToken(tokenFromRandom('link_ticket', new Uint8Array(TOKEN_RANDOM_BYTES).fill(7)))

const scope = useScope()
let stand: Stand
let machine: Machine
let person: Person

beforeAll(async () => {
	stand = await startStand(scope)
	machine = await stand.machine('box')
	person = await stand.paired(machine)
	person.client.close()
})

async function trust() {
	const client = await person.reopen()
	const { sessions } = await machine.control.ask({ op: 'sessions' })
	return { sessions: sessions.map(({ session_id, user }) => ({ session_id, user })), pairings: await client.pairings() }
}

/** Opens a link as the paired device while the relay plays a trick on it. */
async function attempt(tricks: Tricks): Promise<{ code: string; message: string }> {
	const client = await person.reopen()
	stand.path.tricks = tricks
	const error: unknown = await within(
		'an answer',
		client.connect(machine.agent.nodeId).then(
			() => ({ code: 'opened', message: '' }),
			(caught: unknown) => caught,
		),
	)
	stand.path.tricks = {}
	client.close()
	return error as { code: string; message: string }
}

const instead = (wanted: string, text: string): Tricks => ({
	onText: ({ leg, sender, message }: Passing<string>) =>
		leg.path === '/api/web/ws' && sender === 'relay' && message.includes(`"op":"${wanted}"`) ? [text] : [message],
})

describe('what a relay makes up on its way to a device', () => {
	it.each(Object.values(CLOSE).map(({ name }) => name))('the refusal %s is shown in words, and drops no trust', async (name) => {
		const before = await trust()
		const reason = 'your session was revoked \u001b[31mby\u202e the machine'
		const error = await attempt(instead('hello_ok', JSON.stringify({ op: 'refused', code: name, reason })))
		expect(error).toMatchObject({ name: 'ClientError', message: 'your session was revoked  [31mby  the machine' })
		expect(error.code).not.toBe('session_gone')
		expect(await trust()).toEqual(before)
	})

	it.each([4400, 4401, 4403, 4404, 4410, 4412, 1013, 3999])('a close with %i drops no trust', async (code) => {
		const before = await trust()
		const error = await attempt({
			onText: ({ leg, sender, message }) => {
				if (leg.path === '/api/web/ws' && sender === 'relay' && message.includes('"op":"opened"'))
					leg.dialler.close(code, 'session revoked by the machine')
				return [message]
			},
		})
		expect(error).toMatchObject({ name: 'ClientError', message: expect.stringMatching(/^\S.{10,}/) })
		expect(error.code).not.toBe('session_gone')
		expect(await trust()).toEqual(before)
	})

	it('a close in the middle of a link ends it with that reason as a hint, and drops no trust', async () => {
		const before = await trust()
		const client = await person.reopen()
		const connection = await client.connect(machine.agent.nodeId)
		stand.path.latest('/api/web/ws').dialler.close(4401, 'session revoked')
		const end = await within('the end', connection.link.ended)
		expect(end.code).toBe('connection_lost')
		expect(end.message).toMatch(/^\S.{10,}/)
		await waitFor('the machine to notice', () => machine.agent.status().links.length === 0)
		expect(await trust()).toEqual(before)
		expect((await client.connect(machine.agent.nodeId)).session.session_id).toBe(connection.session.session_id)
		client.close()
	})

	it.each([
		['session_gone', { op: 'session_gone', reason: 'revoked' }],
		['session_revoked', { op: 'session_revoked', session_id: 'all', epoch: Number.MAX_SAFE_INTEGER }],
		['link_ready', { op: 'link_ready', link_id: 'x' }],
	])('the in-link message %s outside of a link is not understood, and drops no trust', async (_name, message) => {
		const before = await trust()
		const error = await attempt(instead('hello_ok', JSON.stringify(message)))
		expect(error.code).toBe('answer_invalid')
		expect(await trust()).toEqual(before)
	})

	it('other versions are said to be a difference of versions', async () => {
		const before = await trust()
		const error = await attempt({
			onText: ({ leg, sender, message }) =>
				leg.path === '/api/web/ws' && sender === 'relay' ? [message.replace('"versions":[1]', '"versions":[0,2]')] : [message],
		})
		expect(error).toMatchObject({ code: 'version', message: expect.stringContaining('upgrade the older one') })
		expect(await trust()).toEqual(before)
	})

	it('text in the middle of a link ends the link, and no byte of it is delivered', async () => {
		const client = await person.reopen()
		const connection = await client.connect(machine.agent.nodeId)
		const echo = await openEcho(connection)
		echo.stream.write(Buffer.from('mine'))
		await waitFor('the echo', () => echo.bytes().length === 4)
		stand.path.latest('/api/web/ws').dialler.sendText('{"op":"session_gone","reason":"revoked"}')
		expect((await within('the end', connection.link.ended)).code).toBe('protocol_error')
		expect(echo.bytes().toString()).toBe('mine')
		expect(await client.pairings()).toHaveLength(1)
		client.close()
	})
})

describe('what a relay makes up on its way to a machine', () => {
	const control = (): Leg => stand.path.latest('/api/nodes/ws')

	it('a dial to a foreign origin, path or scheme is not dialled', async () => {
		let calls = 0
		const foreign = createServer()
		foreign.on('connection', () => {
			calls++
		})
		await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve))
		scope.defer(() => void foreign.close())
		const address = foreign.address()
		const port = typeof address === 'object' && address !== null ? address.port : 0
		const { host } = new URL(stand.path.origin)
		const origins = [
			`http://127.0.0.1:${port}`,
			`http://localhost:${port}`,
			`http://${host}@127.0.0.1:${port}`,
			`${stand.path.origin}.evil.example:${port}`,
			`${stand.path.origin}/../x`,
			`${stand.path.origin}#@127.0.0.1:${port}`,
			`ws://127.0.0.1:${port}`,
			'file:///etc/passwd',
			'http://169.254.169.254',
		]
		const answers: string[] = []
		stand.path.tricks = {
			onText: ({ leg, sender, message }) => {
				if (leg === control() && sender === 'dialler' && message.includes('dial_failed')) answers.push(message)
				return [message]
			},
		}
		const legs = stand.path.legs.length
		for (const origin of origins) {
			control().dialler.sendText(
				JSON.stringify({
					op: 'dial',
					link_ticket: TICKET,
					origin,
					user: { id: 'user-evil-0001', name: 'eve' },
					client_address: '192.0.2.9',
					expires: Date.now() + 10_000,
				}),
			)
		}
		await waitFor('each to be refused', () => answers.length === origins.length)
		stand.path.tricks = {}
		for (const answer of answers) expect(answer).toContain('the origin is neither pinned nor listed')
		expect(calls).toBe(0)
		expect(stand.path.legs).toHaveLength(legs)
	})

	it('the name of another user changes nothing about a device session', async () => {
		const before = await trust()
		const client = await person.reopen()
		stand.path.tricks = {
			onText: ({ leg, sender, message }) =>
				leg.path === '/api/nodes/ws' && sender === 'relay' ? [message.replace('"name":"ann"', '"name":"root"')] : [message],
		}
		const connection = await client.connect(machine.agent.nodeId)
		stand.path.tricks = {}
		expect(connection.session.user).toBe(before.sessions[0]?.user)
		expect(await trust()).toEqual(before)
		client.close()
		await waitFor('the link to end', () => machine.agent.status().links.length === 0)
	})

	it('a suspension bars until it is lifted at the machine, and drops no session', async () => {
		const before = await trust()
		const sessionId = before.sessions[0]?.session_id ?? ''
		const client = await person.reopen()
		const connection = await client.connect(machine.agent.nodeId)
		control().dialler.sendText(JSON.stringify({ op: 'suspend', session_id: sessionId }))
		const end = await within('the link to be cut', connection.link.ended)
		expect(end.message).toMatch(/^\S.{10,}/)
		const barred = await attempt({})
		expect(barred.code).toBe('refused')
		expect(barred.message).toMatch(/suspended|relay/)
		expect(await trust()).toEqual(before)
		await machine.control.ask({ op: 'lift' })
		const again = await client.connect(machine.agent.nodeId)
		expect(again.session.session_id).toBe(sessionId)
		client.close()
		await waitFor('the link to end', () => machine.agent.status().links.length === 0)
	})

	it('suspensions without end do not fill its disk and memory', async () => {
		const marker = 'user-flood-'
		for (let index = 0; index < 3_000; index++)
			control().dialler.sendText(JSON.stringify({ op: 'suspend', user_id: `${marker}${String(index).padStart(6, '0')}` }))
		const sessionId = (await trust()).sessions[0]?.session_id ?? ''
		control().dialler.sendText(JSON.stringify({ op: 'suspend', session_id: sessionId }))
		await waitFor('the last of them', () => machine.agent.status().suspended.sessions === 1)
		expect(machine.agent.status().suspended.users).toBeLessThanOrEqual(256)
		await machine.control.ask({ op: 'lift' })
	}, 60_000)

	it('unknown and malformed messages change nothing', async () => {
		const before = await trust()
		for (const text of [
			'{}',
			'[',
			'{"op":"revoke_session","session_id":"all"}',
			'{"op":"suspend"}',
			'x'.repeat(4_000),
			'{"op":"reload"}',
		])
			control().dialler.sendText(text)
		const client = await person.reopen()
		await client.connect(machine.agent.nodeId)
		client.close()
		expect(await trust()).toEqual(before)
	})
})
