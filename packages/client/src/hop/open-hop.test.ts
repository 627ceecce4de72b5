import type { Clock } from '@sallyport/carrier'
import { CLOSE, nodeIdFromHash } from '@sallyport/protocol'
import type { MessageSocket, MessageSocketHandlers } from '@sallyport/transport'
import { describe, expect, it } from 'vitest'
import type { ClientError } from '../errors.ts'
import { openHop } from './open-hop.ts'

const NODE = nodeIdFromHash(new Uint8Array(32))
const CHALLENGE = 'A'.repeat(43)
const GREETING = { op: 'auth_required', relay_id: 'relay-one', challenge: CHALLENGE, transport: 'websocket', versions: [1] }
const MACHINE = { op: 'auth_required', node_id: NODE, challenge: CHALLENGE, transport: 'websocket', versions: [1] }

describe('the hop', () => {
	it('greets, says hello with credential and target, and is open', async () => {
		const relay = startHop()
		relay.say(GREETING)
		expect(JSON.parse(relay.heard[0] ?? '')).toEqual({ op: 'hello', version: 1, token: 'sly_cli_x', open: { node_id: NODE } })
		relay.say({ op: 'hello_ok', version: 1 })
		relay.say({ op: 'opened' })
		await expect(relay.done).resolves.toBeUndefined()
		expect(relay.closed).toEqual([])
	})

	it('tells a machine the version alone', async () => {
		const machine = startHop({ isDirect: true })
		machine.say(MACHINE)
		expect(JSON.parse(machine.heard[0] ?? '')).toEqual({ op: 'hello', version: 1, open: { node_id: NODE } })
		machine.say({ op: 'hello_ok', version: 1 })
		machine.say({ op: 'opened' })
		await expect(machine.done).resolves.toBeUndefined()
	})

	it.each([
		['another machine', { ...MACHINE, node_id: nodeIdFromHash(new Uint8Array(32).fill(1)) }, 'not_found'],
		['a relay', GREETING, 'answer_invalid'],
	])('says no word to %s where a machine should be', async (_name, greeting, code) => {
		const machine = startHop({ isDirect: true })
		machine.say(greeting)
		await expect(machine.done).rejects.toMatchObject({ code })
		expect(machine.heard).toEqual([])
	})

	it.each([
		['refused by name', 'node_offline', 'node_offline', true],
		['signed out', 'credential_expired', 'unauthenticated', false],
		['unknown or foreign', 'not_found', 'not_found', false],
		['a code of a later version', 'made_up', 'connection_lost', true],
	])('turns a refusal into words: %s', async (_name, code, expected, retry) => {
		const relay = startHop()
		relay.say(GREETING)
		relay.say({ op: 'refused', code, reason: 'offline since\u001b[2J 3 min', retry_after_ms: 1500 })
		await expect(relay.done).rejects.toMatchObject({
			code: expected,
			retry,
			retryAfterMs: 1500,
			message: 'offline since [2J 3 min',
		})
		expect(relay.closed).toEqual([1000])
	})

	it.each(Object.values(CLOSE).map((close) => [close.name, close]))('turns a close into words: %s', async (_name, close) => {
		const relay = startHop()
		relay.close(close.code, '')
		await expect(relay.done).rejects.toMatchObject({ message: close.message, retry: close.retry })
	})

	it.each([
		['opened before hello', [{ op: 'opened' }]],
		['hello_ok before the greeting', [{ op: 'hello_ok', version: 1 }]],
		['a second greeting', [GREETING, GREETING]],
		['no op', [{}]],
		['a machine instead of a relay', [{ ...GREETING, relay_id: undefined, node_id: NODE }]],
	])('gives up on a relay that speaks out of turn: %s', async (_name, messages) => {
		const relay = startHop()
		for (const message of messages) relay.say(message)
		await expect(relay.done).rejects.toMatchObject({ code: 'answer_invalid' })
		expect(relay.closed).toEqual([1000])
	})

	it('gives up on another version, and on another relay than the pinned one', async () => {
		const newer = startHop()
		newer.say({ ...GREETING, versions: [9] })
		await expect(newer.done).rejects.toMatchObject({ code: 'version' })
		const other = startHop({ relayId: 'relay-two' })
		other.say(GREETING)
		await expect(other.done).rejects.toMatchObject({ code: 'relay_changed' })
		expect(other.heard).toEqual([])
	})

	it('waits ten seconds for the greeting and twenty-five for the machine', async () => {
		const silent = startHop()
		expect(silent.delays).toEqual([10_000])
		silent.fire()
		await expect(silent.done).rejects.toMatchObject({ code: 'timed_out', retry: true })
		const slow = startHop()
		slow.say(GREETING)
		expect(slow.delays).toEqual([10_000, 25_000])
		slow.fire()
		await expect(slow.done).rejects.toMatchObject({ code: 'timed_out' })
	})

	it('gives up when told to', async () => {
		const abort = new AbortController()
		const relay = startHop({ signal: abort.signal })
		abort.abort()
		await expect(relay.done).rejects.toMatchObject({ code: 'cancelled' })
	})
})

function startHop(options: { relayId?: string; signal?: AbortSignal; isDirect?: boolean } = {}) {
	const { isDirect, ...given } = options
	const heard: string[] = []
	const closed: number[] = []
	const delays: number[] = []
	let handlers: MessageSocketHandlers | undefined
	let timer = (): void => {}
	const clock: Clock = {
		nowMs: () => 0,
		monotonicMs: () => 0,
		setTimer: (delayMs, callback) => {
			delays.push(delayMs)
			timer = callback
			return () => undefined
		},
	}
	const socket: MessageSocket = {
		bufferedBytes: 0,
		isOpen: true,
		setHandlers: (wanted) => {
			handlers = wanted
		},
		sendText: (text) => void heard.push(text),
		sendBinary: () => undefined,
		onceDrained: () => undefined,
		pause: () => undefined,
		resume: () => undefined,
		close: (code) => void closed.push(code),
		terminate: () => undefined,
	}
	const done: Promise<void | ClientError> = openHop(socket, {
		nodeId: NODE,
		clock,
		...(isDirect === true ? {} : { credential: { token: 'sly_cli_x' } }),
		...given,
	})
	done.catch(() => undefined)
	return {
		heard,
		closed,
		delays,
		done,
		say: (message: object) => handlers?.onText(JSON.stringify(message)),
		close: (code: number, reason: string) => handlers?.onClose({ code, reason }),
		fire: () => timer(),
	}
}
