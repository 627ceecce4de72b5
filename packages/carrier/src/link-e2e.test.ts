import { randomBytes } from 'node:crypto'
import type { DeviceSessionInfo, SessionId } from '@sallyport/protocol'
import { LIMITS, sessionIdFromBytes, silentLogger } from '@sallyport/protocol'
import type { MessageSocket } from '@sallyport/transport'
import { describe, expect, it } from 'vitest'
import { createMemorySocketPair } from '../../testkit/src/index.ts'
import type { ClientLink, Clock, InboundStream, NodeGate, NodeLink, ProvenDevice } from './index.ts'
import { createLinkAcceptor, deviceIdOf, makeIdentity, nodeIdOf, openClientLink, runCrypto, systemClock } from './index.ts'
import { createNodeCrypto } from './node/index.ts'

type TamperBytes = (bytes: Uint8Array, index: number) => Uint8Array | undefined

/** Two ends of one socket in memory; what the left end sends goes through `tamper`. */
function socketPair(tamper?: TamperBytes): readonly [MessageSocket, MessageSocket] {
	const { left, right, leftToRight } = createMemorySocketPair()
	let index = 0
	leftToRight.tamper = (message) => {
		if (message.kind !== 'binary' || tamper === undefined) return [message]
		const bytes = tamper(message.bytes, index++)
		return bytes === undefined ? [] : [{ kind: 'binary', bytes }]
	}
	return [left, right]
}

const crypto = createNodeCrypto()

async function world(onStream: (inbound: InboundStream, link: NodeLink) => void = (inbound) => inbound.accept()) {
	const node = await runCrypto(crypto, makeIdentity('node', Date.now()))
	const device = await runCrypto(crypto, makeIdentity('device', Date.now()))
	const nodeId = await runCrypto(crypto, nodeIdOf(node.identityKey))
	const deviceId = await runCrypto(crypto, deviceIdOf(device.identityKey))
	const sessions = new Map<SessionId, DeviceSessionInfo>()
	const secret = randomBytes(32)
	let approval: ((digits: string) => string | undefined) | undefined
	const makeSession = (proven: ProvenDevice): DeviceSessionInfo => {
		const session: DeviceSessionInfo = {
			session_id: sessionIdFromBytes(randomBytes(16)),
			device_id: proven.deviceId,
			device_name: 'laptop',
			user: proven.context.user,
			capabilities: ['shell'],
			created_at: 1,
			last_seen_at: 1,
			idle_expires_at: 2,
			absolute_expires_at: 3,
			paired_by: 'invite',
			address: proven.context.address,
			connected: false,
			current: false,
		}
		sessions.set(session.session_id, session)
		return session
	}
	const gate: NodeGate = {
		lastSerial: async () => undefined,
		pairingSecret: async (id) => (id === 'invite-1' ? secret : undefined),
		admit: async (proven, id) => {
			const session = id === undefined ? undefined : sessions.get(id)
			return session?.device_id === proven.deviceId ? { kind: 'session', session } : { kind: 'gone', reason: 'unknown' }
		},
		pairBySecret: async (proven) => ({ kind: 'session', session: makeSession(proven) }),
		enterPairing: async () => ({ kind: 'turn', nonce: randomBytes(32), expiresAtMs: Date.now() + 1000 }),
		awaitApproval: (proven, codes) => ({
			outcome: new Promise((resolve) => {
				approval = (digits) => {
					const isRight = digits === codes.digits
					resolve(isRight ? { kind: 'approved', session: makeSession(proven) } : { kind: 'failed', reason: 'wrong_code' })
					return isRight ? codes.returnCode : undefined
				}
			}),
			end: async () => true,
		}),
		linkOpened: (link) => ({
			onStream: (inbound) => onStream(inbound, link),
			onRequest: (message) => link.send({ op: 'done', id: message.id }),
		}),
	}
	const description = { nodeId, name: 'web', hostname: 'web', os: 'linux', agentVersion: '0.1.0', endpoints: [] }
	const acceptor = createLinkAcceptor({
		crypto,
		identity: () => node,
		node: () => description,
		gate,
		clock: systemClock,
		log: silentLogger,
	})
	const dial = (tamper?: TamperBytes): MessageSocket => {
		const [near, far] = socketPair(tamper)
		acceptor.accept(far, { via: 'relay', origin: 'https://relay.test', user: 'ada', address: '192.0.2.7' })
		return near
	}
	const base = { crypto, identity: device, nodeId, clock: systemClock }
	const pair = (socket = dial()) =>
		openClientLink({
			...base,
			socket,
			intent: {
				kind: 'pair',
				secret: { secretId: 'invite-1', secret, origin: 'https://relay.test' },
				deviceName: 'laptop',
				deviceKind: 'cli',
			},
		})
	return { acceptor, base, dial, pair, deviceId, approve: (digits: string) => approval?.(digits) }
}

/** Echoes everything, giving credit back once it was written. */
function echo(inbound: InboundStream): void {
	inbound.accept()
	const { stream } = inbound
	const waiting: Uint8Array[] = []
	let isBlocked = false
	let isEnded = false
	const endIfDone = (): void => {
		if (isEnded && waiting.length === 0) stream.end()
	}
	const pass = (bytes: Uint8Array): void => {
		isBlocked = !stream.write(bytes)
		stream.consume(bytes.length)
	}
	stream.setHandlers({
		onData: (bytes) => (isBlocked ? waiting.push(bytes) : pass(bytes)),
		onDrain: () => {
			isBlocked = false
			while (!isBlocked && waiting.length > 0) pass(waiting.shift() ?? new Uint8Array(0))
			endIfDone()
		},
		onEnd: () => {
			isEnded = true
			endIfDone()
		},
	})
}

describe('a link from end to end', () => {
	it('pairs by secret, echoes a stream whole and closes it in peace', async () => {
		const { pair } = await world(echo)
		const { link } = await pair()
		const { stream, opened } = link.openStream({ kind: 'tcp', class: 'bulk' })
		const sent = randomBytes(3_000_000)
		const parts: Uint8Array[] = []
		const closed = new Promise<void>((resolve) => {
			stream.setHandlers({
				onData: (bytes) => {
					parts.push(bytes.slice())
					stream.consume(bytes.length)
				},
				onClose: resolve,
			})
		})
		for (let offset = 0; offset < sent.length; offset += 50_000) stream.write(sent.subarray(offset, offset + 50_000))
		stream.end()
		await opened
		await closed
		expect(Buffer.concat(parts).equals(sent)).toBe(true)
		link.close('closed_by_client')
		expect(await link.ended).toMatchObject({ code: 'closed_by_client' })
	})

	it('opens again with the session that pairing gave, and answers requests', async () => {
		const { pair, base, dial } = await world()
		const first = await pair()
		const sessionId = first.link.ready.session.session_id
		first.link.close('closed_by_client')
		const { link } = await openClientLink({ ...base, socket: dial(), intent: { kind: 'open', sessionId } })
		expect(await link.request({ op: 'end_terminal', terminal_id: 'AAAAAAAAAAAA' as never })).toMatchObject({ op: 'done' })
		link.close('closed_by_client')
	})

	it('tells a device without a session inside the link', async () => {
		const { base, dial } = await world()
		const sessionId = sessionIdFromBytes(randomBytes(16))
		const opening = openClientLink({ ...base, socket: dial(), intent: { kind: 'open', sessionId } })
		await expect(opening).rejects.toMatchObject({ code: 'session_gone' })
	})

	it('pairs by approve code only when both codes were carried', async () => {
		const { base, dial, approve } = await world()
		let returnCode = ''
		const opened = await openClientLink({
			...base,
			socket: dial(),
			intent: {
				kind: 'approve',
				deviceName: 'laptop',
				deviceKind: 'browser',
				onState: (state) => {
					// The node has the codes a turn after the device shows them.
					if (state.kind === 'code') void whenDefined(() => approve(state.code)).then((code) => (returnCode = code))
				},
				askReturnCode: async () => returnCode,
			},
		})
		expect(returnCode).toMatch(/^\d{4}$/)
		expect(opened.link.ready.session.device_name).toBe('laptop')
		opened.link.close('closed_by_client')
	})

	it('trusts nothing when the return code is wrong three times', async () => {
		const { base, dial, approve } = await world()
		let asked = 0
		const opening = openClientLink({
			...base,
			socket: dial(),
			intent: {
				kind: 'approve',
				deviceName: 'laptop',
				deviceKind: 'browser',
				onState: (state) => {
					if (state.kind === 'code') void whenDefined(() => approve(state.code))
				},
				askReturnCode: async () => {
					asked++
					return 'none'
				},
			},
		})
		await expect(opening).rejects.toMatchObject({ code: 'wrong_code' })
		expect(asked).toBe(3)
	})

	it('ends a pairing at once when it is cancelled, or the connection ends, while the person looks for the return code', async () => {
		const { base, dial, approve } = await world()
		const cancel = new AbortController()
		const start = (socket: MessageSocket, onAsked: () => void, signal?: AbortSignal) =>
			openClientLink({
				...base,
				socket,
				...(signal && { signal }),
				intent: {
					kind: 'approve',
					deviceName: 'laptop',
					deviceKind: 'browser',
					onState: (state) => {
						if (state.kind === 'code') void whenDefined(() => approve(state.code))
					},
					askReturnCode: () => {
						onAsked()
						return new Promise(() => undefined)
					},
				},
			})
		const first = dial()
		await expect(start(first, () => cancel.abort(), cancel.signal)).rejects.toBeDefined()
		expect(first.isOpen).toBe(false)
		const second = dial()
		await expect(start(second, () => second.terminate())).rejects.toMatchObject({ code: 'link_ended' })
	})

	it('moves to a fresh connection in the middle of a transfer, and loses nothing', async () => {
		const { base, dial, pair } = await world(echo)
		const sessionId = (await pair()).link.ready.session.session_id
		let move: () => void = () => undefined
		const clock: Clock = {
			...systemClock,
			setTimer: (delayMs, callback) => {
				if (delayMs !== LIMITS.connectionMoveMs) return systemClock.setTimer(delayMs, callback)
				move = callback
				return () => undefined
			},
		}
		const sockets = [dial()]
		const redial = async () => {
			const socket = dial()
			sockets.push(socket)
			return socket
		}
		const { link } = await openClientLink({
			...base,
			clock,
			socket: sockets[0] ?? dial(),
			redial,
			intent: { kind: 'open', sessionId },
		})
		const { stream } = link.openStream({ kind: 'tcp', class: 'bulk' })
		const sent = randomBytes(8_000_000)
		const parts: Uint8Array[] = []
		let received = 0
		let moves = 0
		const closed = new Promise<void>((resolve) => {
			stream.setHandlers({
				onData: (bytes) => {
					parts.push(bytes.slice())
					received += bytes.length
					stream.consume(bytes.length)
					if (received > (moves + 1) * 2_000_000 && sockets.length === moves + 1) {
						moves++
						move()
					}
				},
				onClose: resolve,
			})
		})
		for (let offset = 0; offset < sent.length; offset += 50_000) stream.write(sent.subarray(offset, offset + 50_000))
		stream.end()
		await closed
		expect(Buffer.concat(parts).equals(sent)).toBe(true)
		expect(sockets.length).toBeGreaterThan(1)
		expect(sockets.slice(0, -1).map((socket) => socket.isOpen)).not.toContain(true)
		link.close('closed_by_client')
	})

	it('leaves no connection open when the link ends while it moves', async () => {
		const { acceptor, base, dial, pair } = await world(echo)
		const sessionId = (await pair()).link.ready.session.session_id
		const timers: (() => void)[] = []
		const clock: Clock = {
			...systemClock,
			setTimer: (delayMs, callback) => {
				if (delayMs !== LIMITS.connectionMoveMs) return systemClock.setTimer(delayMs, callback)
				timers.push(callback)
				return () => undefined
			},
		}
		const held: { link?: ClientLink } = {}
		const sockets: MessageSocket[] = []
		const redial = async () => {
			// Message 3 is on its way when the person closes the link.
			const socket = dial((bytes, index) => {
				if (index === 1) held.link?.close('closed_by_client')
				return bytes
			})
			sockets.push(socket)
			return socket
		}
		const { link } = await openClientLink({ ...base, clock, socket: dial(), redial, intent: { kind: 'open', sessionId } })
		held.link = link
		timers[0]?.()
		await link.ended
		await whenDefined(() => (sockets[0]?.isOpen === false ? 'closed' : undefined))
		const { id } = link
		await whenDefined(() => (acceptor.links.some((accepted) => accepted.id === id) ? undefined : 'gone'))
		expect(sockets).toHaveLength(1)
	})

	it('stays on its connection when a move fails', async () => {
		const { base, dial, pair } = await world(echo)
		const sessionId = (await pair()).link.ready.session.session_id
		let move: () => void = () => undefined
		const moved = new Promise<void>((settled) => {
			move = settled
		})
		const timers: (() => void)[] = []
		const clock: Clock = {
			...systemClock,
			setTimer: (delayMs, callback) => {
				if (delayMs === LIMITS.connectionMoveMs) timers.push(callback)
				else if (delayMs === 60_000) move()
				else return systemClock.setTimer(delayMs, callback)
				return () => undefined
			},
		}
		const redial = async () => dial((bytes, index) => (index === 1 ? undefined : bytes))
		const socket = dial()
		const { link } = await openClientLink({
			...base,
			clock,
			socket,
			redial,
			intent: { kind: 'open', sessionId },
			handshakeMs: 50,
		})
		timers[0]?.()
		await moved
		const { stream } = link.openStream({ kind: 'tcp', class: 'interactive' })
		const echoed = new Promise<string>((resolve) =>
			stream.setHandlers({ onData: (bytes) => resolve(Buffer.from(bytes).toString()) }),
		)
		stream.write(Buffer.from('still here'))
		expect(await echoed).toBe('still here')
		expect(socket.isOpen).toBe(true)
		link.close('closed_by_client')
	})

	it('ends the link when a record is altered, and delivers none of it', async () => {
		let isArmed = false
		const { pair, dial } = await world(echo)
		const socket = dial((bytes) => {
			if (!isArmed) return bytes
			const copy = bytes.slice()
			copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1
			return copy
		})
		const { link } = await pair(socket)
		const { stream } = link.openStream({ kind: 'tcp', class: 'interactive' })
		const received: Uint8Array[] = []
		stream.setHandlers({ onData: (bytes) => received.push(bytes) })
		isArmed = true
		stream.write(Buffer.from('hello'))
		const end = await link.ended
		expect(['connection_lost', 'tampered']).toContain(end.code)
		expect(received).toEqual([])
	})

	it('resets its streams and rejects its requests when the connection is cut', async () => {
		const { pair, dial } = await world(() => undefined)
		const socket = dial()
		const { link } = await pair(socket)
		const { stream, opened } = link.openStream({ kind: 'tcp', class: 'bulk' })
		const reset = new Promise((resolve) => stream.setHandlers({ onReset: resolve }))
		socket.terminate()
		expect(await reset).toMatchObject({ code: 'link_lost', byPeer: false })
		await expect(opened).rejects.toMatchObject({ code: 'link_lost' })
		await expect(link.request({ op: 'list_terminals' })).rejects.toMatchObject({ code: 'link_ended' })
		expect(await link.ended).toMatchObject({ code: 'connection_lost', retry: true })
	})
})

async function whenDefined<T>(probe: () => T | undefined): Promise<T> {
	for (;;) {
		const value = probe()
		if (value !== undefined) return value
		await new Promise((resolve) => setImmediate(resolve))
	}
}
