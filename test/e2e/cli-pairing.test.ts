import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { createWorld, ownerToken, signedIn, startInPty, type World } from './cli-world.ts'
import { createHome, type Home, sally, startSally, useScope, waitFor } from './harness/index.ts'

const scope = useScope()
let world: World

beforeAll(async () => {
	world = await createWorld(scope)
})

const onNode = (args: readonly string[], input?: string) =>
	sally(scope, world.up.home, ['agent', ...args], input === undefined ? {} : { input })
const bearer = async () => ({ authorization: `Bearer ${await ownerToken(world.up.origin)}` })
const json = <T>(ran: { readonly stdout: string }): T => JSON.parse(ran.stdout) as T

describe('another machine', () => {
	it('joins by one pasted line, is paired by itself, and keeps the line out of sight', async () => {
		const adding = startSally(scope, world.laptop, ['add', 'second'])
		const [, text = ''] = await adding.waitForOutput(/sally agent join (\S+)/)
		const machine = createHome(scope, 'second')
		const agent = startSally(scope, machine, ['agent', 'join', '--yes', text], { PORT: '0', NODE_NAME: 'as it calls itself' })
		await agent.waitForOutput(/joined as as it calls itself/)
		expect(readFileSync(`/proc/${agent.pid}/cmdline`, 'utf8')).not.toContain('sly_join_v1')
		expect(await adding.exited).toEqual({ status: 0, signal: null })
		expect(adding.stdout().trim()).toBe(`sally agent join ${text}`)
		expect(await world.run(['exec', 'second', '--', 'echo', 'there'])).toMatchObject({ status: 0, stdout: 'there\n' })
		expect(await world.run(['nodes'])).toMatchObject({ stdout: expect.stringMatching(/second +online +yes/) })

		const twice = await sally(scope, createHome(scope, 'third'), ['agent', 'join', '--yes', '--no-start', text])
		expect(twice.status).toBe(1)

		agent.kill('SIGTERM')
		expect(await agent.exited).toEqual({ status: 0, signal: null })
		const offline = await waitFor('the machine to be offline', async () => {
			const ran = await world.run(['nodes'])
			return /second +offline: stopped/.test(ran.stdout) && ran
		})
		expect(offline.stdout).toMatch(/second +offline: stopped \d+ s ago +yes/)
		const failed = await world.run(['exec', 'second', '--', 'true'])
		expect(failed.status).toBe(255)
		expect(failed.stderr).toMatch(/^sally: .+\n$/)
		expect(await world.run(['devices', 'second'])).toMatchObject({ status: 5 })

		const again = startSally(scope, machine, ['agent', 'start'], { PORT: '0' })
		const back = await waitFor('the machine to be back', async () => {
			const ran = await world.run(['exec', 'second', '--', 'echo', 'back'])
			return ran.status === 0 && ran
		})
		expect(back.stdout).toBe('back\n')
		await again.stop()
	})

	it.each([
		['by the next list', ['nodes'], /late-0 +online +yes/],
		['by the next command to it', ['exec', 'late-1', '--', 'echo', 'there'], /^there\n$/],
	])('that came when nobody waited any more is paired %s', async (_name, args, expected) => {
		const name = args[1] ?? 'late-0'
		const adding = startSally(scope, world.laptop, ['add', name])
		const [, text = ''] = await adding.waitForOutput(/sally agent join (\S+)/)
		adding.kill('SIGKILL')
		await adding.exited
		const agent = startSally(scope, createHome(scope, name), ['agent', 'join', '--yes', text], { PORT: '0', NODE_NAME: name })
		await agent.waitForOutput(/joined as late-/)
		await waitFor('the machine to be online', async () => {
			const listed = await (await fetch(`${world.up.origin}/api/nodes`, { headers: await bearer() })).json()
			return (listed as { nodes: { name: string; connected: boolean }[] }).nodes.some(
				(node) => node.name === name && node.connected,
			)
		})
		expect(await world.run(args)).toMatchObject({ status: 0, stdout: expect.stringMatching(expected) })
		expect(await world.run(['devices', name])).toMatchObject({ status: 0 })
		await agent.stop()
	})

	it('takes a join from a file and from standard input, and refuses what is not whole', async () => {
		const machine = createHome(scope, 'broken')
		const ran = await sally(scope, machine, ['agent', 'join', '--from-stdin', '--yes'], { input: 'sly_join_v1.half' })
		expect(ran.status).toBe(1)
		expect(ran.stderr).toContain('copy all of it')
	})

	it('enrols by an access token from standard input', async () => {
		const token = await ownerToken(world.up.origin)
		const made = await fetch(`${world.up.origin}/api/tokens`, {
			method: 'POST',
			headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
			body: JSON.stringify({ name: 'fleet', scopes: ['nodes:enrol'] }),
		})
		const { token: pat } = (await made.json()) as { token: string }
		const machine = createHome(scope, 'fleet')
		const args = ['agent', 'login', '--relay', world.up.origin, '--from-stdin', '--node-name', 'fleet']
		expect(await sally(scope, machine, args, { input: `${pat}\n` })).toMatchObject({
			status: 0,
			stderr: expect.stringContaining('enrolled'),
		})
		const agent = startSally(scope, machine, ['agent', 'start'], { PORT: '0' })
		await waitFor('the machine to be online', async () => /fleet +online +no/.test((await world.run(['nodes'])).stdout))
		const refused = await world.run(['exec', 'fleet', '--', 'true'])
		expect(refused).toMatchObject({ status: 255, stderr: expect.stringContaining('not paired') })
		expect(await world.run(['devices', 'fleet'])).toMatchObject({ status: 6 })
		await agent.stop()
	})
})

describe('another device', () => {
	let tablet: Home
	beforeAll(async () => {
		tablet = await signedIn(scope, world.up.origin, 'tablet')
	})

	it('is let in by the code that it shows, and trusts the machine by the digits that come back', async () => {
		const asking = startInPty(scope, tablet, ['pair', world.node.name])
		const [, digits = ''] = await asking.waitForOutput(/approve (\d{6})/)
		const status = json<{ pairingRequest?: { device_name: string; fingerprint: string } }>(await onNode(['status', '--json']))
		expect(status.pairingRequest?.device_name).toContain('@')
		const [, shown] = await asking.waitForOutput(/this fingerprint: ([a-z2-7-]{19})\r/)
		expect(status.pairingRequest?.fingerprint).toBe(shown)
		const wrong = await onNode(['approve', '--yes', digits === '000000' ? '000001' : '000000'])
		expect(wrong).toMatchObject({ status: 6, stdout: '' })
		const approved = await onNode(['approve', '--yes', digits])
		expect(approved).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d{4}\n$/) })
		await asking.waitForOutput(/four digits/)
		asking.write(`${approved.stdout.trim()}\r`)
		await asking.waitForOutput(/paired with/)
		expect(await asking.exited).toBe(0)
		expect(await sally(scope, tablet, ['exec', world.node.name, '--', 'echo', 'in'])).toMatchObject({ status: 0, stdout: 'in\n' })
	})

	it('is listed, and barred at once when it is revoked', async () => {
		const sessions = json<{ session_id: string; current: boolean; connected: boolean; paired_by: string }[]>(
			await world.run(['devices', world.node.name, '--json']),
		)
		const other = sessions.find((session) => session.paired_by === 'approve')
		expect(other).toMatchObject({ connected: true, current: false })
		const working = startSally(scope, tablet, ['exec', world.node.name, '--', 'sh', '-c', 'echo at work; sleep 60'])
		await working.waitForOutput(/at work/)
		expect(await world.run(['revoke', world.node.name, other?.session_id ?? ''])).toMatchObject({ status: 0 })
		expect(await working.exited).toEqual({ status: 255, signal: null })
		const refused = await sally(scope, tablet, ['exec', world.node.name, '--', 'true'])
		expect(refused.status).toBe(255)
		expect(await sally(scope, tablet, ['devices', world.node.name])).toMatchObject({ status: 6 })
		expect((await sally(scope, tablet, ['nodes'])).stdout).toMatch(/online +no/)
	})

	it('may bar itself', async () => {
		const invite = json<{ text: string }>(await onNode(['invite', '--json']))
		const leaving = await signedIn(scope, world.up.origin, 'leaving')
		expect(await sally(scope, leaving, ['pair', '--invite', '--yes'], { input: invite.text })).toMatchObject({ status: 0 })
		const own = json<{ session_id: string; current: boolean }[]>(
			await sally(scope, leaving, ['devices', world.node.name, '--json']),
		).find((session) => session.current)
		const revoked = await sally(scope, leaving, ['revoke', world.node.name, own?.session_id ?? ''])
		expect(revoked).toMatchObject({ status: 0, stderr: expect.stringContaining('this computer itself') })
		expect(await sally(scope, leaving, ['devices', world.node.name])).toMatchObject({ status: 6 })
	})

	it('gets in by an invite once, and not twice', async () => {
		const invite = json<{ url: string; text: string }>(await onNode(['invite', '--json']))
		expect(new URL(invite.url).pathname).toBe('/')
		const first = await sally(scope, tablet, ['pair', '--invite', '--yes', '--json'], { input: `${invite.url}\n` })
		expect(json<{ nodeId: string }>(first).nodeId).toBe(world.node.id)
		const second = await signedIn(scope, world.up.origin, 'stranger')
		const refused = await sally(scope, second, ['pair', '--invite', '--yes'], { input: invite.text })
		expect(refused.status).not.toBe(0)
		expect(await sally(scope, second, ['devices', world.node.name])).toMatchObject({ status: 6 })
	})

	it('drops a pairing only when it is told to', async () => {
		expect(await sally(scope, tablet, ['pair', world.node.name])).toMatchObject({
			status: 1,
			stderr: expect.stringContaining('already'),
		})
		expect(await sally(scope, tablet, ['pair', '--forget', world.node.name])).toMatchObject({ status: 0 })
		expect(await sally(scope, tablet, ['exec', world.node.name, '--', 'true'])).toMatchObject({
			status: 255,
			stderr: expect.stringContaining('not paired'),
		})
	})
})

describe('sally agent forget-host', () => {
	it('says what it does not know, and takes no nonsense', async () => {
		const unknown = await onNode(['forget-host', 'db.internal:2222'])
		expect(unknown).toMatchObject({ status: 4, stderr: 'sally: this machine knows no key of db.internal port 2222\n' })
		expect(await onNode(['forget-host', 'db.internal:'])).toMatchObject({ status: 2 })
	})
})

describe('files of a device', () => {
	it('are refused when others can read them', async () => {
		const home = await signedIn(scope, world.up.origin, 'careless')
		const { chmodSync } = await import('node:fs')
		chmodSync(join(home.folder, 'data/sallyport/cli/default/session.sealed'), 0o644)
		const ran = await sally(scope, home, ['nodes'])
		expect(ran.status).toBe(1)
		expect(ran.stderr).toContain('chmod 600')
	})

	it('are set aside when they are damaged, never deleted', async () => {
		const home = await signedIn(scope, world.up.origin, 'damaged')
		const folder = join(home.folder, 'data/sallyport/cli/default')
		const { readdirSync, writeFileSync } = await import('node:fs')
		writeFileSync(join(folder, 'session.sealed'), 'not what was there', { mode: 0o600 })
		expect(await sally(scope, home, ['nodes'])).toMatchObject({ status: 3, stderr: expect.stringContaining('damaged') })
		expect(readdirSync(folder).some((name) => name.startsWith('session.sealed.corrupt-'))).toBe(true)
	})
})
