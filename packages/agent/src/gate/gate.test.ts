import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LinkNotice } from '@sallyport/carrier'
import { sessionIdFromBytes, userIdSchema } from '@sallyport/protocol'
import * as v from 'valibot'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAgentControlClient } from '../local/control-client.ts'
import { Collected, expectOp, newDevice, pairIntent, shellRequest, World } from '../testing/world.fixture.ts'

let world: World
beforeEach(async () => {
	world = await World.make()
})
afterEach(() => world.close())
const control = () => createAgentControlClient(world.config.dataDir)

describe('door two', () => {
	it('tells the other devices of every pairing, and keeps it in the log', async () => {
		const first = await world.pair(newDevice())
		const told = new Promise<LinkNotice>((resolve) => first.onNotice(resolve))
		const second = await world.pair(newDevice())
		expect(await told).toMatchObject({
			op: 'device_paired',
			session: { session_id: second.ready.session.session_id, paired_by: 'invite', current: false },
		})
		const log = (await readFile(join(world.config.dataDir, 'pairings.jsonl'), 'utf8')).trim().split('\n')
		expect(log.map((line) => JSON.parse(line))).toMatchObject([
			{ event: 'paired' },
			{ event: 'paired', session_id: second.ready.session.session_id, user: 'ada' },
		])
	})

	it('lets no second device in by a used invite, and none by an expired one', async () => {
		const invite = await world.invite()
		await world.pair(newDevice(), invite)
		await expect(world.knock(newDevice(), pairIntent(invite))).rejects.toMatchObject({ code: 'refused' })
		await expect(world.knock(newDevice(), pairIntent({ ...invite, secret: new Uint8Array(32) }))).rejects.toThrow()
		await expect(world.knock(newDevice(), pairIntent({ ...invite, invite_id: 'unknown-1' }))).rejects.toThrow()
		expect(world.agent.status().sessions).toBe(1)
	})

	it('lets exactly one of twenty in that use an invite at once', async () => {
		const invite = await world.invite()
		const results = await Promise.allSettled(Array.from({ length: 20 }, () => world.knock(newDevice(), pairIntent(invite))))
		expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
		expect(world.agent.status().sessions).toBe(1)
	})

	it('answers a session id without its key, and one of another node, as unknown', async () => {
		const device = newDevice()
		const link = await world.pair(device)
		const thief = { ...newDevice(), sessionId: link.ready.session.session_id }
		await expect(world.open(thief)).rejects.toMatchObject({ code: 'session_gone' })
		const stranger = { ...newDevice(), sessionId: sessionIdFromBytes(new Uint8Array(16)) }
		await expect(world.open(stranger)).rejects.toMatchObject({ code: 'session_gone' })
		expect((await world.open(device)).isOpen).toBe(true)
	})

	it('ends links and streams of a revoked device at once, on every endpoint, but not the terminals', async () => {
		const device = newDevice()
		const relayed = await world.pair(device)
		const { link: direct } = await world.knock(
			device,
			{ kind: 'open', sessionId: relayed.ready.session.session_id },
			await world.direct(),
		)
		const output = new Collected(direct.openStream(shellRequest).stream)
		await output.until(() => output.byteCount > 0)
		const startedMs = performance.now()
		expect(await control().ask({ op: 'revoke', session_id: relayed.ready.session.session_id })).toEqual({ revoked: 1 })
		expect(await Promise.all([relayed.ended, direct.ended])).toMatchObject([
			{ code: 'session_revoked' },
			{ code: 'session_revoked' },
		])
		expect(performance.now() - startedMs).toBeLessThan(1000)
		expect(world.agent.status()).toMatchObject({ links: [], sessions: 0, terminals: [{ attached: 0 }] })
		await expect(world.open(device)).rejects.toMatchObject({ code: 'session_gone' })
		await world.relay.until(() => world.relay.messages.some((message) => message.op === 'session_revoked'))
	})

	it('shows a device its own session alone, and others’ only with approve', async () => {
		const owner = await world.pair(newDevice())
		const limited = await world.pair(newDevice(), await world.invite({ capabilities: ['shell'] }))
		const all = await owner.request({ op: 'list_sessions' })
		const own = await limited.request({ op: 'list_sessions' })
		expect(all.op === 'sessions' ? all.sessions.map((session) => session.current) : []).toEqual([true, false])
		expect(own.op === 'sessions' ? own.sessions.map((session) => session.session_id) : []).toEqual([
			limited.ready.session.session_id,
		])
		await expect(limited.request({ op: 'revoke_session', session_id: owner.ready.session.session_id })).rejects.toThrow(
			/only a device that may let others in/,
		)
		await expect(limited.request({ op: 'approve_pairing', request_id: 'x', digits: '000000' })).rejects.toThrow(
			/may not let others in/,
		)
		expect(await owner.request({ op: 'revoke_session', session_id: limited.ready.session.session_id })).toMatchObject({
			op: 'done',
		})
		expect(await limited.ended).toMatchObject({ code: 'session_revoked' })
	})

	it('checks the capability of every stream', async () => {
		const link = await world.pair(newDevice(), await world.invite({ capabilities: ['forward'] }))
		await expect(link.openStream(shellRequest).opened).rejects.toMatchObject({ code: 'capability_missing' })
		await expect(link.openStream({ kind: 'exec', class: 'bulk', argv: ['true'] }).opened).rejects.toMatchObject({
			code: 'capability_missing',
		})
		const shellOnly = await world.pair(newDevice(), await world.invite({ capabilities: ['shell'] }))
		await expect(shellOnly.openStream({ kind: 'tcp', class: 'bulk' }).opened).rejects.toMatchObject({
			code: 'capability_missing',
		})
	})

	it('does less on the relay’s word, and no more, until its own side lifts it', async () => {
		const device = newDevice()
		const link = await world.pair(device)
		world.relay.tell({ op: 'suspend', user_id: v.parse(userIdSchema, world.relay.user.id) })
		expect(await link.ended).toMatchObject({ code: 'closed_by_node' })
		await expect(world.open(device)).rejects.toMatchObject({ code: 'refused' })
		await control().ask({ op: 'lift' })
		expect((await world.open(device)).isOpen).toBe(true)
	})

	it('pairs by approve code, both ways typed', async () => {
		const approver = await world.pair(newDevice())
		const asked = new Promise<string>((resolve) => {
			approver.onNotice((notice) => notice.op === 'pairing_request' && resolve(notice.request_id))
		})
		let show: (code: string) => void = () => undefined
		let carryBack: (code: string) => void = () => undefined
		const shown = new Promise<string>((resolve) => {
			show = resolve
		})
		const carried = new Promise<string>((resolve) => {
			carryBack = resolve
		})
		const device = newDevice()
		const opening = world.knock(device, {
			kind: 'approve',
			deviceName: 'phone',
			deviceKind: 'browser',
			onState: (state) => {
				if (state.kind === 'code') show(state.code)
			},
			askReturnCode: () => carried,
		})
		const requestId = await asked
		expect(await control().ask({ op: 'pairing_request' })).toMatchObject({
			request: { request_id: requestId, device_name: 'phone', device_kind: 'browser', user: 'ada' },
		})
		const answer = await control().ask({ op: 'approve', request_id: requestId, digits: await shown })
		carryBack(answer.kind === 'approved' ? answer.returnCode : 'none')
		const { link } = await opening
		expect(link.ready.session).toMatchObject({
			paired_by: 'approve',
			device_name: 'phone',
			capabilities: expect.not.arrayContaining(['approve']),
		})
		device.sessionId = link.ready.session.session_id
		expect((await world.open(device)).isOpen).toBe(true)
	})

	it('opens no link for a device that was removed before its person carried the return code back', async () => {
		const approver = await world.pair(newDevice())
		const request = new Promise<string>((resolve) =>
			approver.onNotice((notice) => notice.op === 'pairing_request' && resolve(notice.request_id)),
		)
		let show: (code: string) => void = () => undefined
		const shown = new Promise<string>((resolve) => {
			show = resolve
		})
		let carryBack: (code: string) => void = () => undefined
		const carried = new Promise<string>((resolve) => {
			carryBack = resolve
		})
		const knocking = world.knock(newDevice(), {
			kind: 'approve',
			deviceName: 'phone',
			deviceKind: 'browser',
			onState: (state) => state.kind === 'code' && show(state.code),
			askReturnCode: () => carried,
		})
		const answer = await control().ask({ op: 'approve', request_id: await request, digits: await shown })
		const sessions = expectOp(await approver.request({ op: 'list_sessions' }), 'sessions').sessions
		const phone = sessions.find((session) => session.device_name === 'phone')
		expect(phone).toBeDefined()
		if (phone !== undefined) await approver.request({ op: 'revoke_session', session_id: phone.session_id })
		carryBack(answer.kind === 'approved' ? answer.returnCode : 'none')
		await expect(knocking).rejects.toMatchObject({ code: 'pairing_failed' })
		expect(world.agent.status()).toMatchObject({ sessions: 1 })
		expect(world.agent.status().links).toHaveLength(1)
	})

	it('takes approve-code requests on its own listener only while a window is open', async () => {
		const intent = {
			kind: 'approve',
			deviceName: 'x',
			deviceKind: 'cli',
			onState: () => undefined,
			askReturnCode: async () => '0000',
		} as const
		await expect(world.knock(newDevice(), intent, await world.direct())).rejects.toMatchObject({
			code: expect.stringMatching(/closed|pairing_failed|refused/),
		})
		await control().ask({ op: 'open_pair_window', minutes: 5 })
		const asked = world.knock(newDevice(), intent, await world.direct()).catch((error: unknown) => error)
		await expect.poll(async () => (await control().ask({ op: 'pairing_request' })).request?.address).toBe('127.0.0.1')
		const { request } = await control().ask({ op: 'pairing_request' })
		await control().ask({ op: 'deny', request_id: request?.request_id ?? '' })
		expect(await asked).toBeInstanceOf(Error)
		expect(world.agent.status().sessions).toBe(0)
	})
})
