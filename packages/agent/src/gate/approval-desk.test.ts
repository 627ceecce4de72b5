import type { ProvenDevice } from '@sallyport/carrier'
import type { DeviceSessionInfo, PairingRequest } from '@sallyport/protocol'
import { deviceIdFromHash, LIMITS, sessionIdFromBytes } from '@sallyport/protocol'
import { FakeClock } from '@sallyport/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import type { PairRequest } from './approval-desk.ts'
import { ApprovalDesk } from './approval-desk.ts'

const request: PairRequest = {
	intent: 'pair',
	certificate: new Uint8Array(1),
	features: [],
	device_name: 'phone',
	device_kind: 'browser',
}
const codes = { digits: '482177', returnCode: '9031' }
const never = new AbortController().signal

let clock: FakeClock
let desk: ApprovalDesk
let requests: PairingRequest[]
let ended: string[]
let settled: [string, boolean][]
let isKept: boolean
let isDiskFull: boolean
beforeEach(() => {
	clock = new FakeClock()
	requests = []
	ended = []
	settled = []
	isKept = true
	isDiskFull = false
	desk = new ApprovalDesk({
		clock,
		makeSession: async (made) => {
			if (isDiskFull) throw new Error('disk full')
			return session(made)
		},
		settleSession: async (made, isConfirmed) => {
			settled.push([made.device_name, isConfirmed])
			return isConfirmed && isKept
		},
		onRequest: (shown) => requests.push(shown),
		onEnded: (_id, outcome) => ended.push(outcome),
	})
})

function device(number: number): ProvenDevice {
	const key = new Uint8Array(32).fill(number)
	return {
		deviceId: deviceIdFromHash(key),
		identityKey: key,
		certificateSerial: 1,
		context: { via: 'relay', origin: 'https://relay.example', user: 'ada', address: '192.0.2.1' },
	}
}

function session(made: ProvenDevice): DeviceSessionInfo {
	const time = clock.nowMs()
	return {
		session_id: sessionIdFromBytes(new Uint8Array(16).fill(made.identityKey[0] ?? 0)),
		device_id: made.deviceId,
		device_name: 'phone',
		user: 'ada',
		capabilities: ['shell'],
		created_at: time,
		last_seen_at: time,
		idle_expires_at: time,
		absolute_expires_at: time,
		paired_by: 'approve',
		address: '',
		connected: true,
		current: true,
	}
}

async function upForComparison(number = 1) {
	const who = device(number)
	expect(await desk.enter(who, request, () => undefined, never)).toMatchObject({ kind: 'turn' })
	return desk.awaitApproval(who, codes)
}

describe('approve code', () => {
	it('lets a device in when the right digits are typed and the return code was carried back', async () => {
		const wait = await upForComparison()
		expect(requests).toMatchObject([{ device_name: 'phone', device_kind: 'browser', user: 'ada', address: '192.0.2.1' }])
		expect(JSON.stringify(requests)).not.toContain(codes.digits)
		expect(await desk.approve(requests[0]?.request_id ?? '', '482177', ['shell'])).toEqual({
			kind: 'approved',
			returnCode: '9031',
		})
		expect(await wait.outcome).toMatchObject({ kind: 'approved' })
		expect(settled).toEqual([])
		await wait.end('confirmed')
		expect(settled).toEqual([['phone', true]])
		expect(ended).toEqual(['paired'])
	})

	it('takes the session back when the device never confirms', async () => {
		const wait = await upForComparison()
		await desk.approve(requests[0]?.request_id ?? '', '482177', ['shell'])
		await wait.end('closed')
		expect(settled).toEqual([['phone', false]])
		expect(ended).toEqual(['closed'])
	})

	it('is no pairing when the device confirms after the five minutes, nor when the session cannot be kept', async () => {
		const late = await upForComparison(1)
		await desk.approve(requests[0]?.request_id ?? '', '482177', ['shell'])
		await clock.advanceAsync(LIMITS.pairingMs)
		expect(await late.end('confirmed')).toBe(false)
		expect(settled).toEqual([['phone', false]])
		isKept = false
		const unkept = await upForComparison(2)
		await desk.approve(requests[1]?.request_id ?? '', '482177', ['shell'])
		expect(await unkept.end('confirmed')).toBe(false)
	})

	it('ends a request whose session the disk did not take, so that the next has its turn', async () => {
		const wait = await upForComparison(1)
		isDiskFull = true
		await expect(desk.approve(requests[0]?.request_id ?? '', '482177', ['shell'])).rejects.toThrow('disk full')
		expect(await wait.outcome).toEqual({ kind: 'failed', reason: 'closed' })
		isDiskFull = false
		expect(await desk.enter(device(2), request, () => undefined, never)).toMatchObject({ kind: 'turn' })
	})

	it('is burned by a second wrong number, and by five minutes', async () => {
		const first = await upForComparison()
		const id = requests[0]?.request_id ?? ''
		expect(await desk.approve(id, '000000', [])).toEqual({ kind: 'wrong_code', attemptsLeft: 1 })
		expect(await desk.approve(id, '111111', [])).toEqual({ kind: 'burned' })
		expect(await first.outcome).toEqual({ kind: 'failed', reason: 'burned' })
		expect(await desk.approve(id, '482177', [])).toEqual({ kind: 'not_found' })
		const second = await upForComparison(2)
		await clock.advanceAsync(LIMITS.pairingMs)
		expect(await second.outcome).toEqual({ kind: 'failed', reason: 'expired' })
		expect(await desk.approve(requests[1]?.request_id ?? '', '482177', [])).toEqual({ kind: 'not_found' })
	})

	it('is denied by who may approve', async () => {
		const wait = await upForComparison()
		expect(desk.deny('another')).toBe(false)
		expect(desk.deny(requests[0]?.request_id ?? '')).toBe(true)
		expect(await wait.outcome).toEqual({ kind: 'failed', reason: 'denied' })
	})

	it('takes one request at a time; the others wait before the nonces and hear their place', async () => {
		const first = await upForComparison(1)
		const positions: number[] = []
		const gone = new AbortController()
		const leaving = desk.enter(device(2), request, () => undefined, gone.signal)
		const third = desk.enter(device(3), request, (position) => positions.push(position), never)
		expect(positions).toEqual([2])
		gone.abort()
		expect(await leaving).toEqual({ kind: 'failed', reason: 'closed' })
		await first.end('closed')
		expect(await third).toMatchObject({ kind: 'turn' })
		expect(requests).toHaveLength(1)
	})

	it('gives the turn on when a device goes away or stays silent before its digits are up', async () => {
		const gone = new AbortController()
		await desk.enter(device(1), request, () => undefined, gone.signal)
		const second = desk.enter(device(2), request, () => undefined, never)
		gone.abort()
		expect(await second).toMatchObject({ kind: 'turn' })
		const third = desk.enter(device(3), request, () => undefined, never)
		await clock.advanceAsync(30_000)
		expect(await third).toMatchObject({ kind: 'turn' })
		expect(await desk.awaitApproval(device(2), codes).outcome).toEqual({ kind: 'failed', reason: 'expired' })
	})

	it('takes five an hour', async () => {
		for (let number = 1; number <= 5; number++) await (await upForComparison(number)).end('closed')
		expect(await desk.enter(device(6), request, () => undefined, never)).toEqual({ kind: 'failed', reason: 'limit' })
		await clock.advanceAsync(3_600_001)
		expect(await desk.enter(device(6), request, () => undefined, never)).toMatchObject({ kind: 'turn' })
	})

	it('bounds the queue, and ends all that wait when the agent stops', async () => {
		await upForComparison(1)
		const waiting = Array.from({ length: 16 }, (_, index) => desk.enter(device(index + 2), request, () => undefined, never))
		expect(await desk.enter(device(99), request, () => undefined, never)).toEqual({ kind: 'failed', reason: 'limit' })
		desk.close()
		expect(await Promise.all(waiting)).toEqual(waiting.map(() => ({ kind: 'failed', reason: 'closed' })))
	})
})
