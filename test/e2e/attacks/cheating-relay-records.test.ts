import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { useScope, waitFor } from '../harness/index.ts'
import type { Passing, Sender, Tricks } from './cheating-path.ts'
import { type Machine, openEcho, type Person, type Stand, startStand } from './stand.ts'

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

type Cheat = (passing: Passing<Uint8Array>, memory: { held?: Uint8Array }) => readonly Uint8Array[]

const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
	const copy = Uint8Array.from(bytes)
	copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8))
	return copy
}
const other = (sender: Sender): Sender => (sender === 'dialler' ? 'relay' : 'dialler')

/** Each is applied to one record in the middle of a transfer; then the path is honest again. */
const CHEATS: readonly (readonly [string, Cheat])[] = [
	['flips the first bit', ({ message }) => [flipped(message, 0)]],
	['flips a bit in the middle', ({ message }) => [flipped(message, message.length >> 1)]],
	['flips a bit of the tag', ({ message }) => [flipped(message, message.length - 1)]],
	['drops it', () => []],
	['sends it twice', ({ message }) => [message, message]],
	['replays an older one after it', ({ message, leg, sender, index }) => [message, leg.seen[sender][index - 1] ?? message]],
	[
		'swaps it with the next',
		({ message }, memory) => {
			if (memory.held === undefined) {
				memory.held = message
				return []
			}
			return [message, memory.held]
		},
	],
	['cuts its end off', ({ message }) => [message.subarray(0, -1)]],
	['leaves nothing of it', () => [new Uint8Array(0)]],
	['lengthens it', ({ message }) => [Buffer.concat([message, Buffer.of(0)])]],
	['puts in one of the other direction', ({ message, leg, sender }) => [leg.seen[other(sender)].at(-1) ?? message]],
	['puts in one of another link', ({ message, leg, sender }) => [foreign(leg, sender) ?? message]],
	['puts in a handshake message', ({ leg, sender, message }) => [leg.seen[sender][0] ?? message]],
	['puts in random bytes of the same length', ({ message }) => [randomBytes(message.length)]],
	['sends it back as well', ({ message, leg, sender }) => (reflect(leg, sender, message), [message])],
]

function reflect(leg: Passing<Uint8Array>['leg'], sender: Sender, message: Uint8Array): void {
	;(sender === 'dialler' ? leg.dialler : leg.relay).sendBinary(Uint8Array.from(message))
}

/** A record at the same place of another link between the same two. */
function foreign(leg: Passing<Uint8Array>['leg'], sender: Sender): Uint8Array | undefined {
	const elsewhere = stand.path.legs.find(
		(candidate) => candidate !== leg && candidate.path === leg.path && candidate.seen[sender].length > 3,
	)
	return elsewhere?.seen[sender][3]
}

/** Cheats once, at the first record of `sender` after it was armed. */
function arm(cheat: Cheat, sender: Sender): Tricks {
	let left = cheat === swap ? 2 : 1
	const memory: { held?: Uint8Array } = {}
	return {
		onBinary(passing) {
			if (passing.leg.path !== '/api/web/ws' || passing.sender !== sender || left === 0) return [passing.message]
			left--
			return cheat(passing, memory)
		},
	}
}
const swap = CHEATS.find(([name]) => name === 'swaps it with the next')?.[1]

/** Pieces that are written one after the other, so that they go in records of their own. */
const PIECES = Array.from({ length: 12 }, (_, index) => randomBytes(900 + index))
const WHOLE = Buffer.concat(PIECES)

describe.each([
	['to the machine', 'dialler'],
	['to the device', 'relay'],
] as const)('a relay that changes one record on its way %s', (_name, sender) => {
	it.each(CHEATS)('and %s, is noticed at both ends, and not one altered byte is delivered', async (_cheatName, cheat) => {
		const client = await person.reopen()
		const connection = await client.connect(machine.agent.nodeId)
		const sessions = machine.agent.status().sessions
		const echo = await openEcho(connection)
		for (const piece of PIECES) echo.stream.write(piece)
		await waitFor('the first bytes to come back', () => echo.bytes().length >= WHOLE.length)
		stand.path.tricks = arm(cheat, sender)
		// A record that never comes is noticed by the next one: so there is a next one.
		const sent = [WHOLE]
		const end = await waitFor('the link to end', async () => {
			const piece = randomBytes(700)
			if (connection.link.isOpen) sent.push(piece)
			echo.stream.write(piece)
			return Promise.race([connection.link.ended, new Promise<undefined>((resolve) => setTimeout(resolve, 5))])
		})
		stand.path.tricks = {}
		expect(['tampered', 'connection_lost']).toContain(end.code)
		expect(end.message).toMatch(/^[a-z].{15,}/)
		const got = echo.bytes()
		expect(got.equals(Buffer.concat(sent).subarray(0, got.length))).toBe(true)
		await waitFor('the machine to stop', () => machine.agent.status().links.length === 0)
		// No trust was dropped: the same session opens the next link.
		expect(await client.pairings()).toHaveLength(1)
		expect(machine.agent.status().sessions).toBe(sessions)
		const again = await client.connect(machine.agent.nodeId)
		expect(again.session.session_id).toBe(connection.session.session_id)
		client.close()
		await waitFor('the new link to end', () => machine.agent.status().links.length === 0)
	})
})

describe('a relay that only delays', () => {
	it('breaks nothing: every byte arrives in order', async () => {
		const client = await person.reopen()
		const connection = await client.connect(machine.agent.nodeId)
		const echo = await openEcho(connection)
		stand.path.tricks = {
			onBinary({ leg, sender, message }) {
				const to = sender === 'dialler' ? leg.relay : leg.dialler
				setTimeout(() => to.sendBinary(Uint8Array.from(message)), 40)
				return []
			},
		}
		for (const piece of PIECES) echo.stream.write(piece)
		await waitFor('all of it', () => echo.bytes().length >= WHOLE.length)
		expect(echo.bytes().equals(WHOLE)).toBe(true)
		expect(connection.link.isOpen).toBe(true)
		stand.path.tricks = {}
		client.close()
	})
})
