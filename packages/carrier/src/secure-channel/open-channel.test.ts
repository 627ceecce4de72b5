import { LIMITS } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import { type MemorySocket, memorySocketPair, type Tap } from '../../../../test/support/memory-sockets.ts'
import { createWebCrypto } from '../browser/crypto-web.ts'
import type { CryptoDriver } from '../crypto/crypto-driver.ts'
import { runCrypto } from '../crypto/crypto-driver.ts'
import { makeIdentity, nodeIdOf } from '../crypto/identity.ts'
import { createNodeCrypto } from '../node/crypto-node.ts'
import type { AcceptChannelOptions, InitiateChannelOptions } from './open-channel.ts'
import { acceptChannel, initiateChannel } from './open-channel.ts'
import type { SecureChannel } from './secure-channel.ts'

const NOW = Date.UTC(2026, 10, 22)
const node = createNodeCrypto()
const web = createWebCrypto()
const drivers = { node, web } as const
const secret = { id: 'invite-1', origin: 'https://relay.example', secret: new Uint8Array(32).fill(9) }

interface Overrides {
	readonly initiator?: Partial<InitiateChannelOptions>
	readonly responder?: Partial<AcceptChannelOptions>
	readonly initiatorTap?: Tap
	readonly responderTap?: Tap
	readonly initiatorCrypto?: CryptoDriver
	readonly responderCrypto?: CryptoDriver
	readonly onInitiated?: (channel: SecureChannel) => void
	readonly arrange?: (client: MemorySocket, agent: MemorySocket) => void
}

async function connect(overrides: Overrides = {}) {
	const clientCrypto = overrides.initiatorCrypto ?? node
	const agentCrypto = overrides.responderCrypto ?? node
	const device = await runCrypto(clientCrypto, makeIdentity('device', NOW))
	const agent = await runCrypto(agentCrypto, makeIdentity('node', NOW))
	const nodeId = await runCrypto(node, nodeIdOf(agent.identityKey))
	const [clientSocket, agentSocket] = memorySocketPair()
	if (overrides.initiatorTap) clientSocket.tap = overrides.initiatorTap
	if (overrides.responderTap) agentSocket.tap = overrides.responderTap
	overrides.arrange?.(clientSocket, agentSocket)
	const [initiated, accepted] = await Promise.all([
		initiateChannel({
			socket: clientSocket,
			crypto: clientCrypto,
			nodeId,
			identity: device,
			nowMs: NOW,
			intent: 'open',
			decide: async () => ({ intent: 'open', features: ['a'] }),
			...overrides.initiator,
		}).then((result) => {
			if (result.ok) overrides.onInitiated?.(result.value.channel)
			return result
		}),
		acceptChannel({
			socket: agentSocket,
			crypto: agentCrypto,
			nodeId,
			identity: agent,
			nowMs: NOW,
			features: ['b'],
			secretFor: async () => undefined,
			...overrides.responder,
		}),
	])
	return { initiated, accepted, clientSocket, agentSocket, device, agent, nodeId }
}

const pairing: Pick<InitiateChannelOptions, 'intent' | 'secret' | 'decide'> = {
	intent: 'pair',
	secret,
	decide: async () => ({ intent: 'pair', features: [], device_name: 'laptop', device_kind: 'cli' }),
}

function closeBoth(client: MemorySocket, agent: MemorySocket): void {
	client.closed({ code: 4410, reason: 'node_offline' })
	agent.closed({ code: 4410, reason: 'node_offline' })
}

function valueOf<T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown }): T {
	if (!result.ok) throw new Error(`unexpected fault ${JSON.stringify(result.error)}`)
	return result.value
}

function nextRecord(channel: SecureChannel): Promise<Uint8Array> {
	return new Promise((resolve, reject) => {
		channel.setHandlers({ onRecord: resolve, onEnd: (end) => reject(new Error(JSON.stringify(end))) })
	})
}

describe('a channel over a socket', () => {
	it.each([
		['node', 'node'],
		['node', 'web'],
		['web', 'node'],
		['web', 'web'],
	] as const)('carries records both ways between %s and %s crypto', async (clientKind, agentKind) => {
		const { initiated, accepted, device, nodeId } = await connect({
			initiatorCrypto: drivers[clientKind],
			responderCrypto: drivers[agentKind],
		})
		const client = valueOf(initiated)
		const agent = valueOf(accepted)
		expect(client.handshakeHash).toEqual(agent.handshakeHash)
		expect(client.node.nodeId).toBe(nodeId)
		expect(client.payload2).toMatchObject({ version: 1, features: ['b'] })
		expect(agent.device.identityKey).toEqual(device.identityKey.publicKey)
		expect(agent.payload1).toEqual({ versions: [1], intent: 'open' })
		expect(agent.payload3).toMatchObject({ intent: 'open', features: ['a'] })
		client.channel.send(Uint8Array.of(1, 2, 3))
		expect(await nextRecord(agent.channel)).toEqual(Uint8Array.of(1, 2, 3))
		agent.channel.send([Uint8Array.of(4), Uint8Array.of(5, 6)])
		expect(await nextRecord(client.channel)).toEqual(Uint8Array.of(4, 5, 6))
	})

	it('keeps records that arrive while the node still looks things up', async () => {
		let release: () => void = () => undefined
		const looked = new Promise<void>((resolve) => {
			release = resolve
		})
		const { accepted } = await connect({
			onInitiated: (channel) => {
				channel.send(Uint8Array.of(7))
				channel.send(Uint8Array.of(8))
				setImmediate(release)
			},
			responder: { lastSerialFor: () => looked.then(() => undefined) },
		})
		const records: number[] = []
		valueOf(accepted).channel.setHandlers({ onRecord: (record) => records.push(record[0] ?? -1), onEnd: () => undefined })
		expect(records).toEqual([7, 8])
	})

	it('outlives the signal of its handshake', async () => {
		const controller = new AbortController()
		const { signal } = controller
		const { initiated, accepted } = await connect({ initiator: { signal }, responder: { signal } })
		controller.abort()
		valueOf(initiated).channel.send(Uint8Array.of(1))
		expect(await nextRecord(valueOf(accepted).channel)).toEqual(Uint8Array.of(1))
		expect(valueOf(initiated).channel.isOpen).toBe(true)
	})

	it('shows the proven node before it says who is calling', async () => {
		const sentAtDecision: number[] = []
		let socket: MemorySocket | undefined
		const { initiated } = await connect({
			arrange: (client) => {
				socket = client
			},
			initiator: {
				decide: async (proven, payload2) => {
					sentAtDecision.push(socket?.sent.length ?? -1)
					expect(proven.serial).toBe(NOW)
					expect(payload2.version).toBe(1)
					return { intent: 'open', features: [] }
				},
			},
		})
		expect(initiated.ok).toBe(true)
		expect(sentAtDecision).toEqual([1])
	})
})

describe('pairing by secret', () => {
	it('agrees when both hold the secret for the same origin', async () => {
		const { initiated, accepted } = await connect({
			initiator: pairing,
			responder: { secretFor: async (id) => (id === secret.id ? secret : undefined) },
		})
		expect(initiated.ok).toBe(true)
		expect(valueOf(accepted).payload1).toEqual({ versions: [1], intent: 'pair', secret_id: 'invite-1' })
	})

	it.each([
		['another secret', { ...secret, secret: new Uint8Array(32).fill(8) }, 'HANDSHAKE_FORGED'],
		['another origin', { ...secret, origin: 'https://other.example' }, 'HANDSHAKE_FORGED'],
		['no such secret', undefined, 'SECRET_UNKNOWN'],
	] as const)('is refused at a node that has %s', async (_, held, code) => {
		const { accepted, agentSocket } = await connect({
			initiator: pairing,
			responder: { secretFor: async () => held },
		})
		expect(accepted).toMatchObject({ ok: false, error: { code } })
		expect(agentSocket.isOpen).toBe(false)
	})
})

describe('a handshake that must not succeed', () => {
	it('ends when the node has another key than the id says', async () => {
		const stranger = await runCrypto(node, makeIdentity('node', NOW))
		const { initiated, clientSocket } = await connect({ responder: { identity: stranger } })
		expect(initiated).toMatchObject({ ok: false, error: { code: 'NODE_KEY_CHANGED' } })
		expect(clientSocket.sent).toHaveLength(1)
	})

	it('ends when the node means another node id', async () => {
		const { initiated, accepted } = await connect({ responder: { nodeId: 'b'.repeat(52) } })
		expect(accepted).toMatchObject({ ok: false, error: { code: 'HANDSHAKE_FORGED' } })
		expect(initiated).toMatchObject({ ok: false, error: { code: 'CONNECTION_CLOSED', close: { code: 4412 } } })
	})

	it.each([
		['node', { initiator: { lastSerial: NOW + 1 } }, 'initiated'],
		['device', { responder: { lastSerialFor: async () => NOW + 1 } }, 'accepted'],
	] as const)('ends when the certificate of the %s is older than one seen before', async (_, overrides, side) => {
		const results = await connect(overrides)
		expect(results[side]).toMatchObject({ ok: false, error: { code: 'CERTIFICATE_SERIAL_OLD' } })
	})

	it.each([
		['a text message', (client: MemorySocket) => client.arrive('{}'), 'MESSAGE_UNEXPECTED'],
		['a closed socket', closeBoth, 'CONNECTION_CLOSED'],
		['a message of 5 KiB', (client: MemorySocket) => client.arrive(new Uint8Array(5120)), 'HANDSHAKE_TOO_LARGE'],
		['an empty message', (client: MemorySocket) => client.arrive(new Uint8Array(0)), 'HANDSHAKE_TRUNCATED'],
		['a flood', (client: MemorySocket) => client.arrive(new Uint8Array(513 * 1024)), 'MESSAGE_UNEXPECTED'],
	] as const)('ends at %s', async (_, act, code) => {
		const { initiated, clientSocket } = await connect({ arrange: act })
		expect(initiated).toMatchObject({ ok: false, error: { code } })
		expect(clientSocket.isOpen).toBe(false)
	})

	it('ends when the time is over, on both sides', async () => {
		const signal = AbortSignal.timeout(1)
		const silent: Tap = () => []
		const { initiated, accepted } = await connect({ initiatorTap: silent, initiator: { signal }, responder: { signal } })
		expect(initiated).toMatchObject({ ok: false, error: { code: 'HANDSHAKE_TIMED_OUT' } })
		expect(accepted).toMatchObject({ ok: false })
	})

	it('ends when the caller gives up, before or while it decides', async () => {
		const controller = new AbortController()
		const never = new Promise<undefined>(() => undefined)
		const { initiated } = await connect({
			initiator: {
				signal: controller.signal,
				decide: () => {
					controller.abort()
					return never
				},
			},
		})
		expect(initiated).toMatchObject({ ok: false, error: { code: 'HANDSHAKE_ABORTED' } })
		const early = await connect({ initiator: { signal: AbortSignal.abort() } })
		expect(early.initiated).toMatchObject({ ok: false, error: { code: 'HANDSHAKE_ABORTED' } })
		expect(early.clientSocket.sent).toHaveLength(0)
		const declined = await connect({ initiator: { decide: async () => undefined } })
		expect(declined.initiated).toMatchObject({ ok: false, error: { code: 'HANDSHAKE_ABORTED' } })
	})

	it('passes on what the caller itself threw, and closes the socket', async () => {
		let socket: MemorySocket | undefined
		const failing = connect({
			arrange: (client) => {
				socket = client
			},
			initiator: { decide: () => Promise.reject(new Error('old connection is gone')) },
		})
		await expect(failing).rejects.toThrow('old connection is gone')
		expect(socket?.isOpen).toBe(false)
	})

	it('reports a failure of its own crypto as a fault', async () => {
		const broken: CryptoDriver = {
			...node,
			perform: (op) => (op.kind === 'dh' ? Promise.reject(new Error('no')) : node.perform(op)),
		}
		const { initiated } = await connect({ initiator: { crypto: broken } })
		expect(initiated).toMatchObject({ ok: false, error: { code: 'HANDSHAKE_INTERNAL' } })
	})

	it('refuses every single flipped bit of messages 1 and 2, and the node refuses those of message 3', async () => {
		const lengths = [0, 0, 0]
		await connect({
			initiatorTap: (message, index) => {
				lengths[index === 0 ? 0 : 2] = message.length
				return [message]
			},
			responderTap: (message) => {
				lengths[1] = message.length
				return [message]
			},
		})
		expect(Math.min(...lengths)).toBeGreaterThan(60)
		for (const [which, length] of lengths.entries()) {
			for (let position = 0; position < length; position++) {
				const flip: Tap = (message, index) => {
					const isTarget = which === 1 ? index === 0 : index === which / 2
					if (!isTarget) return [message]
					const changed = message.slice()
					changed[position % changed.length] = (changed[position % changed.length] ?? 0) ^ (1 << (position % 8))
					return [changed]
				}
				const { initiated, accepted } = await connect(which === 1 ? { responderTap: flip } : { initiatorTap: flip })
				expect([which, position, accepted.ok]).toEqual([which, position, false])
				if (which < 2) expect([which, position, initiated.ok]).toEqual([which, position, false])
			}
		}
	})

	it('changes nothing at the node by a replayed first message', async () => {
		let lookups = 0
		const { accepted, clientSocket } = await connect()
		expect(accepted.ok).toBe(true)
		const [first = new Uint8Array(0), third = new Uint8Array(0)] = clientSocket.sent
		const replayed = await connect({
			initiatorTap: () => [],
			arrange: (_client, agent) => {
				agent.arrive(first)
				agent.arrive(third)
			},
			initiator: { signal: AbortSignal.timeout(50) },
			responder: {
				lastSerialFor: async () => {
					lookups++
					return undefined
				},
			},
		})
		expect(replayed.accepted).toMatchObject({ ok: false, error: { code: 'HANDSHAKE_FORGED' } })
		expect(lookups).toBe(0)
	})

	it('holds no more than the handshake limit allows for message sizes it sends itself', async () => {
		const { initiated } = await connect({
			initiator: { decide: async () => ({ intent: 'open', features: Array.from({ length: 32 }, () => 'f'.repeat(200)) }) },
		})
		expect(initiated).toMatchObject({ ok: false, error: { code: 'HANDSHAKE_TOO_LARGE' } })
		expect(LIMITS.handshakeMessageBytes).toBe(4096)
	})
})
