import { request as httpRequest } from 'node:http'
import { sessionIdFromBytes, signingInput } from '@sallyport/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { readJoin } from '../membership.ts'
import { Collected, deviceKey, joinText, newDevice, shellRequest, World } from '../testing/world.fixture.ts'
import { backoffMs } from './backoff.ts'
import { hostStats, parseMemAvailable } from './host-stats.ts'
import { parseRelayOrigin } from './origin.ts'

let world: World
const yes = async (): Promise<boolean> => true

describe('the relay', () => {
	afterEach(() => world.close())

	it('is told who this is and how the host does, at each interval', async () => {
		world = await World.make()
		await world.relay.until(() => world.relay.messages.filter((message) => message.op === 'heartbeat').length >= 2)
		const [hello] = world.relay.messages
		expect(hello).toMatchObject({ op: 'hello', node_id: world.agent.nodeId, agent_version: '0.1.0' })
		const beat = world.relay.messages.find((message) => message.op === 'heartbeat')
		expect(beat).toMatchObject({ stats: { cpus: expect.any(Number), memory_total: expect.any(Number) } })
		expect(world.agent.status()).toMatchObject({
			name: 'named by the relay',
			relay: { owner: 'ada', address: '203.0.113.9', state: { kind: 'connected' } },
		})
	})

	it('is dialled again after it restarted, for ever, and terminals are still there', async () => {
		world = await World.make()
		const device = newDevice()
		const link = await world.pair(device)
		const opening = link.openStream(shellRequest)
		new Collected(opening.stream)
		await opening.opened
		for (let round = 0; round < 3; round++) {
			const before = world.relay.connections.length
			world.relay.cut()
			await world.relay.until(() => world.relay.connections.length > before && world.relay.control !== undefined)
		}
		expect((await (await world.open(device)).request({ op: 'list_terminals' })).op).toBe('terminals')
		expect(world.agent.status().terminals).toHaveLength(1)
	})

	it('is followed to a new address by its own id alone, and found there after a restart', async () => {
		world = await World.make()
		const device = newDevice()
		await world.pair(device)
		const { origin, relayId } = world.relay
		const there = origin.replace('127.0.0.1', 'localhost')
		await expect(world.agent.moveRelay(there, 'relay-impostor')).rejects.toMatchObject({ code: 'relay_changed' })
		await expect(world.agent.moveRelay('http://relay.example', relayId)).rejects.toMatchObject({ code: 'relay_insecure' })
		expect(world.agent.relay).toMatchObject({ origin, dial_origin: origin })
		const before = world.relay.connections.length
		world.relay.movedTo = there
		await world.agent.moveRelay(there, relayId)
		await world.relay.until(() => world.relay.connections.length > before && world.relay.control !== undefined)
		expect(world.agent.relay).toMatchObject({ origin: there, dial_origin: there, relay_id: relayId })
		await world.restart()
		expect(world.agent.relay).toMatchObject({ origin: there, name: 'named by the relay' })
	})

	it('is connected to once, however many commands lead there at the same moment', async () => {
		world = await World.make()
		const { origin, relayId } = world.relay
		const there = origin.replace('127.0.0.1', 'localhost')
		const before = world.relay.connections.length
		world.relay.movedTo = there
		await Promise.all([world.agent.moveRelay(there, relayId), world.agent.moveRelay(there, relayId)])
		await expect.poll(() => world.agent.status().relay?.state).toMatchObject({ kind: 'connected' })
		await world.agent.close()
		expect(world.relay.connections.length - before).toBe(1)
	})

	it('that has another id than the pinned one gets no signature, and the status says so', async () => {
		world = await World.make()
		const hellos = (): number => world.relay.messages.filter((message) => message.op === 'hello').length
		const before = hellos()
		world.relay.claimedRelayId = 'relay-impostor' as typeof world.relay.relayId
		world.relay.cut()
		await expect
			.poll(() => world.agent.status().relay?.state)
			.toMatchObject({ kind: 'waiting', needsPerson: true, reason: expect.stringContaining('another relay answers') })
		expect(hellos()).toBe(before)
	})

	it.each([
		[4401, /no longer knows this machine.*sally agent join/],
		[4409, /another agent with the same identity/],
		[4426, /upgrade the older/],
	])('that closes with %i is waited for, with words', async (code, words) => {
		world = await World.make()
		world.relay.refuseWith = code
		world.relay.cut()
		await expect
			.poll(() => world.agent.status().relay?.state)
			.toMatchObject({ kind: 'waiting', needsPerson: true, reason: expect.stringMatching(words) })
		const state = world.agent.status().relay?.state
		expect(state?.kind === 'waiting' ? state.untilMs - Date.now() : 0).toBeGreaterThan(50_000)
	})

	it('cannot make the agent dial anywhere but where it is pinned or what it listed', async () => {
		world = await World.make()
		const failures = () => world.relay.messages.filter((message) => message.op === 'dial_failed')
		for (const origin of [
			'http://169.254.169.254',
			'https://evil.example',
			`${world.relay.origin}.evil.example`,
			`${world.relay.origin}/`,
			'file:///etc/passwd',
		]) {
			void world.relay.open({ origin })
		}
		await world.relay.until(() => failures().length === 5)
		expect(failures()).toMatchObject(Array.from({ length: 5 }, () => ({ reason: 'the origin is neither pinned nor listed' })))
		void world.relay.open({ link_ticket: world.relay.newToken('pat') })
		await world.relay.until(() => failures().length === 6)
	})

	it('may list more origins, but none without TLS that is not on this machine', async () => {
		world = await World.make()
		world.relay.origins = ['http://192.0.2.77:80']
		world.relay.cut()
		await world.relay.until(() => world.relay.connections.length === 2 && world.relay.control !== undefined)
		void world.relay.open({ origin: 'http://192.0.2.77:80' })
		await world.relay.until(() => world.relay.messages.some((message) => message.op === 'dial_failed'))
		expect(world.relay.messages.find((message) => message.op === 'dial_failed')).toMatchObject({
			reason: 'the origin is neither pinned nor listed',
		})
	})

	it('gets the node’s signed word on a device session', async () => {
		world = await World.make()
		const device = newDevice()
		const link = await world.pair(device)
		const ask = async (sessionId: typeof link.ready.session.session_id, requestId: string) => {
			world.relay.tell({
				op: 'session_verify_request',
				request_id: requestId,
				nonce: new Uint8Array(32).fill(5),
				session_id: sessionId,
			})
			const find = () =>
				world.relay.messages.find((message) => message.op === 'session_verify_response' && message.request_id === requestId)
			await world.relay.until(() => find() !== undefined)
			return find()
		}
		expect(await ask(link.ready.session.session_id, 'one')).toMatchObject({
			verdict: 'valid',
			user: 'ada',
			admission_key: deviceKey(device),
			signature: expect.any(Uint8Array),
		})
		expect(await ask(sessionIdFromBytes(new Uint8Array(16)), 'two')).toMatchObject({ verdict: 'unknown' })
	})

	it('hears of a stop before it comes', async () => {
		world = await World.make()
		await world.relay.until(() => world.relay.messages.some((message) => message.op === 'heartbeat'))
		await world.agent.close()
		await world.relay.until(() => world.relay.control === undefined)
		expect(world.relay.messages.at(-1)).toEqual({ op: 'stopping' })
	})
})

describe('joining', () => {
	afterEach(() => world.close())

	it('enrols, and lets in the one device that made the join, once', async () => {
		world = await World.make({ isEnrolled: false })
		const device = newDevice()
		const { text, secretId, secret } = joinText(world.relay, device)
		const summaries: unknown[] = []
		await world.agent.join(text, async (summary) => summaries.push(summary) > 0)
		expect(summaries).toMatchObject([{ user: 'ada', deviceName: 'laptop', origin: world.relay.origin }])
		await world.relay.until(() => world.relay.control !== undefined)
		const intent = {
			kind: 'pair',
			secret: { secretId, secret, origin: world.relay.origin },
			deviceName: 'laptop',
			deviceKind: 'browser',
		} as const
		await expect(world.knock(newDevice(), intent)).rejects.toMatchObject({ code: 'refused' })
		const { link } = await world.knock(device, intent)
		expect(link.ready.session).toMatchObject({ paired_by: 'join', capabilities: expect.arrayContaining(['approve']) })
		device.sessionId = link.ready.session.session_id
		await world.open(device)
		await expect(world.knock(device, intent)).rejects.toThrow()
		const [token] = [...world.relay.enrolled.values()]
		expect(JSON.stringify(token)).not.toContain(Buffer.from(secret).toString('base64url'))
	})

	it('changes nothing when it is declined, refused or expired', async () => {
		world = await World.make({ isEnrolled: false })
		const { text } = joinText(world.relay, newDevice())
		await expect(world.agent.join(text, async () => false)).rejects.toMatchObject({ code: 'join_declined' })
		world.relay.enrolStatus = 401
		await expect(world.agent.join(text, yes)).rejects.toMatchObject({
			code: 'enrol_refused',
			message: expect.stringContaining('the token was used'),
		})
		world.relay.enrolStatus = 200
		const old = joinText(world.relay, newDevice(), { expires: Date.now() - 1 })
		await expect(world.agent.join(old.text, yes)).rejects.toMatchObject({ code: 'join_expired' })
		expect(() => readJoin('sly_join_v1.cut', Date.now())).toThrow(/not whole/)
		expect(world.agent.relay).toBeUndefined()
	})

	it('refuses another relay than the join names, one without TLS elsewhere, and a second one', async () => {
		world = await World.make({ isEnrolled: false })
		const { text } = joinText(world.relay, newDevice())
		const right = world.relay.relayId
		world.relay.claimedRelayId = 'relay-impostor' as typeof right
		await expect(world.agent.join(text, yes)).rejects.toMatchObject({ code: 'relay_changed' })
		await expect(world.agent.enrol('http://relay.example', world.relay.newToken('enrol'))).rejects.toMatchObject({
			code: 'relay_insecure',
		})
		world.relay.claimedRelayId = right
		await world.agent.enrol(world.relay.origin, world.relay.newToken('pat'))
		await expect(world.agent.enrol('https://other.example', world.relay.newToken('pat'))).rejects.toMatchObject({
			code: 'already_enrolled',
		})
		await world.agent.logout()
		expect(world.agent.relay).toBeUndefined()
		await expect(world.agent.invite()).rejects.toMatchObject({ code: 'not_enrolled' })
	})

	it('signs what it enrols with, for this relay and token alone', async () => {
		world = await World.make()
		const [[text, enrol] = []] = [...world.relay.enrolled]
		expect(enrol?.token).toBe(text)
		const input = (origin: string) =>
			signingInput({
				purpose: 'enrol',
				origin,
				tokenId: text?.slice(10, 22) ?? '',
				identityKey: Buffer.from(enrol?.identity_key ?? '', 'base64url'),
				timestampMs: enrol?.timestamp ?? 0,
			})
		expect(world.relay.isSignedBy(enrol?.identity_key ?? '', input(world.relay.origin), enrol?.signature ?? '')).toBe(true)
		expect(world.relay.isSignedBy(enrol?.identity_key ?? '', input('https://evil.example'), enrol?.signature ?? '')).toBe(false)
	})
})

describe('the own listener', () => {
	afterEach(() => world.close())
	const dial = (headers: Record<string, string>): Promise<unknown> =>
		world.direct(headers).then((socket) => socket.close(1000, ''))

	it.each([
		['a foreign origin', { origin: 'https://evil.example' }],
		['the null origin', { origin: 'null' }],
		['a look-alike of the relay', { origin: 'http://127.0.0.1.evil.example' }],
		['the relay’s host at another port', { origin: 'http://127.0.0.1:1' }],
		['a rebound host name', { host: 'evil.example' }],
		['no host that could be', { host: 'a b' }],
	])('answers %s with 403 before the upgrade', async (_what, headers) => {
		world = await World.make()
		await expect(dial(headers)).rejects.toMatchObject({ code: 'DIAL_HTTP_STATUS', status: 403 })
	})

	it('takes programs, the relay’s page and localhost', async () => {
		world = await World.make()
		await dial({})
		await dial({ origin: world.relay.origin })
		await dial({ host: `localhost:${world.agent.status().listener?.port}` })
	})

	it('says what it is, and nothing else', async () => {
		world = await World.make()
		const base = `http://127.0.0.1:${world.agent.status().listener?.port}`
		expect(await (await fetch(`${base}/version`)).json()).toEqual({
			name: 'sallyport-agent',
			version: '0.1.0',
			protocol_versions: [1],
		})
		expect(await (await fetch(`${base}/healthz`)).json()).toEqual({ status: 'ok' })
		expect((await fetch(`${base}/etc/passwd`)).status).toBe(404)
		expect((await fetch(`${base}/version`, { method: 'POST' })).status).toBe(405)
		const rebound = await new Promise<number | undefined>((resolve) => {
			httpRequest(`${base}/version`, { headers: { host: 'evil.example' } }, (response) =>
				resolve(response.resume().statusCode),
			).end()
		})
		expect(rebound).toBe(403)
	})
})

describe('waits', () => {
	const middle = (): number => 0.5
	it.each([
		[{ kind: 'unreachable' } as const, 0, 250],
		[{ kind: 'unreachable' } as const, 3, 2_000],
		[{ kind: 'unreachable' } as const, 1000, 15_000],
		[{ kind: 'closed', code: 1006, hadLinks: false } as const, 0, 250],
		[{ kind: 'closed', code: 1012, hadLinks: false } as const, 9, 4_000],
		[{ kind: 'closed', code: 1012, hadLinks: true } as const, 9, 1_000],
		[{ kind: 'closed', code: 4409, hadLinks: true } as const, 0, 60_000],
		[{ kind: 'closed', code: 4401, hadLinks: false } as const, 0, 225_000],
		[{ kind: 'refused' } as const, 0, 225_000],
	])('grow, spread and end: %j, attempt %i -> %i ms', (failure, attempt, expected) => {
		expect(backoffMs(failure, attempt, middle)).toBe(expected)
	})
})

describe('origins', () => {
	it.each([
		['https://relay.example', 'https://relay.example'],
		['https://relay.example/prefix/', 'https://relay.example/prefix'],
		['http://127.0.0.1:8080/', 'http://127.0.0.1:8080'],
		['http://[::1]:8080', 'http://[::1]:8080'],
		['http://localhost:1', 'http://localhost:1'],
	])('reads %s', (text, origin) => expect(parseRelayOrigin(text, { allowPlainHttp: false })).toEqual({ origin }))

	it.each([
		'',
		'relay.example',
		'ftp://x',
		'http://relay.example',
		'https://a:b@relay.example',
		'https://relay.example/?x=1',
		'https://relay.example/#x',
		'http://127.0.0.1.evil.example',
	])('refuses %j', (text) => expect(parseRelayOrigin(text, { allowPlainHttp: false })).toHaveProperty('problem'))
})

describe('host figures', () => {
	it('are this host’s', async () => {
		const stats = await hostStats()
		expect(stats.memory_used).toBeGreaterThan(0)
		expect(stats.memory_used).toBeLessThan(stats.memory_total)
		expect(stats.disk_used).toBeLessThanOrEqual(stats.disk_total)
		expect(stats.cpus).toBeGreaterThan(0)
		expect(Number.isInteger(stats.uptime_s)).toBe(true)
		expect(parseMemAvailable('MemTotal: 10 kB\nMemAvailable:    2 kB\n')).toBe(2048)
		expect(parseMemAvailable('')).toBeUndefined()
	})
})
