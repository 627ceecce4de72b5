import { LIMITS } from '@sallyport/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nodeCrypto, webCrypto } from '../../../../test/support/crypto.ts'
import { type MemorySocket, memorySocketPair } from '../../../../test/support/memory-sockets.ts'
import type { CryptoDriver, RecordCipher } from '../crypto/crypto-driver.ts'
import type { ChannelEnd } from './channel-end.ts'
import type { SecureChannel } from './secure-channel.ts'
import { createSecureChannel, INBOUND_MAX_BYTES } from './secure-channel.ts'

const drivers = { node: nodeCrypto, web: webCrypto } as const
const CLIENT_KEY = 1
const NODE_KEY = 2

interface Side {
	readonly channel: SecureChannel
	readonly socket: MemorySocket
	readonly records: Uint8Array[]
	readonly ended: Promise<ChannelEnd>
	/** Resolves once that many records were delivered. */
	delivered(count: number): Promise<void>
}

interface PairOptions {
	readonly client?: CryptoDriver
	readonly agent?: CryptoDriver
	readonly recordsPerKey?: number
}

async function connect(options: PairOptions = {}): Promise<readonly [Side, Side]> {
	const [left, right] = memorySocketPair()
	const { recordsPerKey } = options
	const rekeying = recordsPerKey === undefined ? {} : { recordsPerKey }
	const make = async (driver: CryptoDriver, sendFill: number, receiveFill: number, socket: MemorySocket): Promise<Side> => {
		const sealer = await driver.createRecordCipher(new Uint8Array(32).fill(sendFill))
		const opener = await driver.createRecordCipher(new Uint8Array(32).fill(receiveFill))
		return listen(createSecureChannel({ socket, sealer, opener, ...rekeying }), socket)
	}
	return [
		await make(options.client ?? nodeCrypto, CLIENT_KEY, NODE_KEY, left),
		await make(options.agent ?? nodeCrypto, NODE_KEY, CLIENT_KEY, right),
	]
}

function listen(channel: SecureChannel, socket: MemorySocket): Side {
	const records: Uint8Array[] = []
	let waiting: { readonly count: number; readonly resolve: () => void } | undefined
	const ended = new Promise<ChannelEnd>((resolve) => {
		channel.setHandlers({
			onRecord: (record) => {
				records.push(record)
				if (waiting !== undefined && records.length >= waiting.count) waiting.resolve()
			},
			onEnd: resolve,
		})
	})
	const delivered = (count: number): Promise<void> =>
		records.length >= count
			? Promise.resolve()
			: new Promise((resolve) => {
					waiting = { count, resolve }
				})
	return { channel, socket, records, ended, delivered }
}

const settle = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve))
const byte = (value: number): Uint8Array => Uint8Array.of(value)
const values = (side: Side): number[] => side.records.map((record) => record[0] ?? -1)
const firstValues = (count: number): number[] => Array.from({ length: count }, (_, index) => index % 256)
const sendNumbers = (side: Side, count: number): void => {
	for (let index = 0; index < count; index++) side.channel.send(byte(index % 256))
}

/** Delays every operation of a driver by a random number of turns, so that results come out of order. */
function shuffled(driver: CryptoDriver, pick: () => number): CryptoDriver {
	const late = async <T>(work: () => T | Promise<T>): Promise<T> => {
		const result = await work()
		for (let turns = pick(); turns > 0; turns--) await Promise.resolve()
		return result
	}
	return {
		perform: (op) => driver.perform(op),
		createRecordCipher: async (key) => {
			const cipher = await driver.createRecordCipher(key)
			return {
				seal: (counter, parts) => late(() => cipher.seal(counter, parts)),
				open: (counter, record) => late(() => cipher.open(counter, record)),
				rekey: () => cipher.rekey(),
				wipe: () => cipher.wipe(),
			}
		},
	}
}

describe.each([
	['node', 'node'],
	['web', 'node'],
	['node', 'web'],
	['web', 'web'],
] as const)('records from %s to %s crypto', (clientKind, agentKind) => {
	const options = { client: drivers[clientKind], agent: drivers[agentKind] }

	it('arrive whole and in order, across several rekeys, both ways', async () => {
		const [client, agent] = await connect({ ...options, recordsPerKey: 4 })
		sendNumbers(client, 20)
		sendNumbers(agent, 9)
		await Promise.all([agent.delivered(20), client.delivered(9)])
		expect(values(agent)).toEqual(firstValues(20))
		expect(values(client)).toEqual(firstValues(9))
	})

	it('fail from the first record of the next key on, when one side rekeys at another count', async () => {
		const [client] = await connect({ ...options, recordsPerKey: 4 })
		const [, agent] = await connect({ ...options, recordsPerKey: 5 })
		client.socket.peer = agent.socket
		sendNumbers(client, 5)
		expect(await agent.ended).toMatchObject({ kind: 'fault', fault: { code: 'RECORD_FORGED' } })
		expect(values(agent)).toEqual(firstValues(4))
	})

	it('carry the largest plaintext, and nothing larger', async () => {
		const [client, agent] = await connect(options)
		client.channel.send(new Uint8Array(LIMITS.recordPlaintextBytes).fill(3))
		await agent.delivered(1)
		expect(agent.records[0]).toHaveLength(LIMITS.recordPlaintextBytes)
		expect(client.socket.sent[0]).toHaveLength(LIMITS.recordBytes)
		expect(() => client.channel.send([new Uint8Array(LIMITS.recordPlaintextBytes), byte(1)])).toThrow(RangeError)
	})

	it.each([
		['flipped', (sent: Uint8Array[]) => [flip(sent[0], 0)], 0],
		['dropped', (sent: Uint8Array[]) => [sent[0], sent[2]], 1],
		['repeated', (sent: Uint8Array[]) => [sent[0], sent[0]], 1],
		['reordered', (sent: Uint8Array[]) => [sent[1], sent[0]], 0],
		['truncated', (sent: Uint8Array[]) => [sent[0], sent[1]?.subarray(0, -1)], 1],
		['lengthened', (sent: Uint8Array[]) => [sent[0], Uint8Array.of(...(sent[1] ?? []), 0)], 1],
	] as const)('end the connection when one is %s, and deliver nothing of it', async (_, tamper, intact) => {
		const [client, agent] = await connect(options)
		client.socket.tap = () => []
		sendNumbers(client, 3)
		while (client.socket.sent.length < 3) await settle()
		for (const record of tamper(client.socket.sent)) agent.socket.arrive(record ?? new Uint8Array(0))
		expect(await agent.ended).toMatchObject({ kind: 'fault', fault: { code: 'RECORD_FORGED' } })
		expect(values(agent)).toEqual(firstValues(intact))
		expect(agent.socket.isOpen).toBe(false)
		expect(agent.channel.isOpen).toBe(false)
	})
})

function flip(record: Uint8Array | undefined, position: number): Uint8Array {
	const changed = new Uint8Array(record ?? [])
	changed[position] = (changed[position] ?? 0) ^ (1 << (position % 8))
	return changed
}

describe('a path that cheats', () => {
	it('is noticed for a flipped bit at every position of a record', async () => {
		const [client] = await connect()
		client.socket.tap = () => []
		client.channel.send(new Uint8Array(64).fill(7))
		const [record] = client.socket.sent
		for (let position = 0; position < 80; position++) {
			const [, agent] = await connect()
			agent.socket.arrive(flip(record, position))
			expect(await agent.ended).toMatchObject({ fault: { code: 'RECORD_FORGED' } })
			expect(agent.records).toHaveLength(0)
		}
		expect(record).toHaveLength(80)
	})

	it('is noticed when it reflects a record to its sender', async () => {
		const [client] = await connect()
		client.socket.tap = (record) => {
			client.socket.arrive(record)
			return []
		}
		client.channel.send(byte(1))
		expect(await client.ended).toMatchObject({ fault: { code: 'RECORD_FORGED' } })
		expect(client.records).toHaveLength(0)
	})

	it('is noticed when it splices in a record of another connection', async () => {
		const [client, agent] = await connect()
		const [other] = memorySocketPair()
		const stranger = listen(
			createSecureChannel({
				socket: other,
				sealer: nodeCrypto.createRecordCipher(new Uint8Array(32).fill(77)),
				opener: nodeCrypto.createRecordCipher(new Uint8Array(32).fill(78)),
			}),
			other,
		)
		client.channel.send(byte(0))
		stranger.channel.send(byte(1))
		await agent.delivered(1)
		agent.socket.arrive(other.sent[0] ?? new Uint8Array(0))
		expect(await agent.ended).toMatchObject({ fault: { code: 'RECORD_FORGED', detail: expect.stringContaining('record 1 ') } })
		expect(values(agent)).toEqual([0])
	})

	it.each([
		['an oversize record', new Uint8Array(LIMITS.recordBytes + 1), 'RECORD_TOO_LARGE'],
		['a record shorter than its tag', new Uint8Array(15), 'RECORD_TRUNCATED'],
		['a text message', '{"op":"hello"}', 'TEXT_UNEXPECTED'],
	] as const)('ends the connection by %s', async (_, message, code) => {
		const [client, agent] = await connect()
		agent.socket.arrive(message)
		expect(await agent.ended).toMatchObject({ kind: 'fault', fault: { code } })
		agent.channel.send(byte(1))
		expect(agent.socket.sent).toHaveLength(0)
		expect(await client.ended).toEqual({ kind: 'closed', close: { code: 1006, reason: '' } })
	})

	it('never makes it throw or deliver, whatever bytes it sends', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 100 }), { minLength: 1, maxLength: 5 }), async (messages) => {
				const [, agent] = await connect()
				for (const message of messages) agent.socket.arrive(message)
				expect((await agent.ended).kind).toBe('fault')
				expect(agent.records).toHaveLength(0)
			}),
		)
	})

	it('meets the same limit with a flood of tiny records', async () => {
		const [client, agent] = await connect()
		agent.channel.pause()
		const limit = INBOUND_MAX_BYTES / 256
		for (let index = 0; index < limit && agent.socket.isOpen; index++) {
			client.channel.send(byte(1))
			if (index % 4096 === 0) {
				agent.socket.resume()
				await settle()
			}
		}
		agent.socket.resume()
		expect(await agent.ended).toMatchObject({ fault: { code: 'INBOUND_OVERRUN' } })
	})

	it('is cut when it sends more than flow control can allow to a paused reader', async () => {
		const [client, agent] = await connect()
		agent.channel.pause()
		agent.socket.resume()
		const record = new Uint8Array(LIMITS.recordPlaintextBytes)
		for (let sent = 0; sent <= INBOUND_MAX_BYTES; sent += LIMITS.recordBytes) {
			client.channel.send(record)
			agent.socket.resume()
			await Promise.resolve()
			agent.socket.resume()
		}
		agent.socket.resume()
		expect(await agent.ended).toMatchObject({ fault: { code: 'INBOUND_OVERRUN' } })
		expect(agent.records).toHaveLength(0)
	})
})

describe('asynchronous crypto', () => {
	it('keeps the order of records whatever order results come in', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.nat({ max: 9 }), { minLength: 50, maxLength: 120 }),
				fc.integer({ min: 1, max: 7 }),
				async (delays, recordsPerKey) => {
					const queue = [...delays]
					const slow = shuffled(nodeCrypto, () => queue.shift() ?? 0)
					const [client, agent] = await connect({ client: slow, agent: slow, recordsPerKey })
					sendNumbers(client, 25)
					client.channel.close(1000, 'done')
					expect(await agent.ended).toEqual({ kind: 'closed', close: { code: 1000, reason: 'done' } })
					expect(values(agent)).toEqual(firstValues(25))
				},
			),
			{ numRuns: 60 },
		)
	})

	it('counts what is being sealed as buffered, and tells when it is drained', async () => {
		const [client, agent] = await connect({ client: webCrypto })
		client.channel.send(new Uint8Array(1000))
		client.channel.send(new Uint8Array(1000))
		expect(client.channel.bufferedBytes).toBe(2032)
		client.socket.bufferedBytes = 100
		expect(client.channel.bufferedBytes).toBe(2132)
		client.socket.bufferedBytes = 0
		await new Promise<void>((resolve) => client.channel.onceDrained(0, resolve))
		expect(client.channel.bufferedBytes).toBe(0)
		await agent.delivered(2)
	})

	it('delivers nothing after a fault, though later records would open', async () => {
		const [client, agent] = await connect({ agent: webCrypto })
		client.socket.tap = (record, index) => [index === 1 ? flip(record, 3) : record]
		sendNumbers(client, 10)
		expect(await agent.ended).toMatchObject({ fault: { code: 'RECORD_FORGED' } })
		expect(values(agent)).toEqual([0])
	})

	describe('while much is being opened', () => {
		async function congested() {
			const held: (() => void)[] = []
			const slow: CryptoDriver = {
				...nodeCrypto,
				createRecordCipher: (key) => {
					const cipher = nodeCrypto.createRecordCipher(key)
					return {
						...passed(cipher),
						open: (counter, record) => new Promise((resolve) => held.push(() => resolve(cipher.open(counter, record)))),
					}
				},
			}
			const [client, agent] = await connect({ agent: slow })
			for (let index = 0; index < 18; index++) client.channel.send(new Uint8Array(LIMITS.recordPlaintextBytes))
			await settle()
			const openAll = async (): Promise<void> => {
				while (held.length > 0) held.shift()?.()
				await settle()
			}
			return { agent, held, openAll }
		}

		it('asks the socket to stop reading, and to go on after it', async () => {
			const { agent, held, openAll } = await congested()
			expect(agent.socket.isPaused).toBe(true)
			expect(held.length).toBe(16)
			await openAll()
			expect(agent.records.length).toBeGreaterThanOrEqual(16)
			expect(agent.socket.isPaused).toBe(false)
		})

		it('keeps the socket paused as long as one of both reasons lasts', async () => {
			const { agent, openAll } = await congested()
			agent.channel.pause()
			agent.channel.resume()
			expect(agent.socket.isPaused).toBe(true)
			await openAll()
			expect(agent.socket.isPaused).toBe(false)
		})

		it('leaves a socket paused whose reader paused meanwhile', async () => {
			const { agent, openAll } = await congested()
			let seen = 0
			agent.channel.setHandlers({
				onRecord: () => {
					seen++
					if (seen === 14) agent.channel.pause()
				},
				onEnd: () => undefined,
			})
			await openAll()
			expect(seen).toBe(14)
			expect(agent.socket.isPaused).toBe(true)
			agent.channel.resume()
			expect(agent.socket.isPaused).toBe(false)
			await openAll()
			await openAll()
			expect(seen).toBe(18)
		})
	})

	it.each(['seal', 'open'] as const)('ends the connection when %s itself fails, now or later', async (act) => {
		for (const fail of [() => Promise.reject(new Error('engine')), thrower]) {
			const broken: CryptoDriver = {
				...nodeCrypto,
				createRecordCipher: (key) => ({ ...passed(nodeCrypto.createRecordCipher(key)), [act]: fail }),
			}
			const [client, agent] = await connect({ agent: broken })
			client.channel.send(byte(1))
			agent.channel.send(byte(1))
			expect(await agent.ended).toMatchObject({ kind: 'fault', fault: { code: 'CRYPTO_FAILED' } })
			expect(act === 'open' ? agent.records : []).toHaveLength(0)
		}
	})
})

function thrower(): never {
	throw new Error('engine')
}

function passed(cipher: RecordCipher): RecordCipher {
	return {
		seal: (counter, parts) => cipher.seal(counter, parts),
		open: (counter, record) => cipher.open(counter, record),
		rekey: () => cipher.rekey(),
		wipe: () => cipher.wipe(),
	}
}

describe('the life of a channel', () => {
	it('holds records until there is a reader, and hands over to the next one', async () => {
		const [client, agentSocket] = memorySocketPair()
		const make = (socket: MemorySocket, send: number, receive: number): SecureChannel =>
			createSecureChannel({
				socket,
				sealer: nodeCrypto.createRecordCipher(new Uint8Array(32).fill(send)),
				opener: nodeCrypto.createRecordCipher(new Uint8Array(32).fill(receive)),
			})
		const sender = make(client, 1, 2)
		const channel = make(agentSocket, 2, 1)
		sender.send(byte(1))
		sender.send(byte(2))
		await settle()
		const first: number[] = []
		const second: number[] = []
		channel.setHandlers({
			onRecord: (record) => {
				first.push(record[0] ?? -1)
				channel.setHandlers({ onRecord: (next) => second.push(next[0] ?? -1), onEnd: () => undefined })
			},
			onEnd: () => undefined,
		})
		expect([first, second]).toEqual([[1], [2]])
	})

	it('opens records that came early before those that come now', async () => {
		const [sender] = await connect()
		sender.socket.tap = () => []
		sendNumbers(sender, 2)
		const [socket] = memorySocketPair()
		const side = listen(
			createSecureChannel({
				socket,
				sealer: nodeCrypto.createRecordCipher(new Uint8Array(32).fill(NODE_KEY)),
				opener: nodeCrypto.createRecordCipher(new Uint8Array(32).fill(CLIENT_KEY)),
				early: sender.socket.sent.slice(0, 1),
			}),
			socket,
		)
		socket.arrive(sender.socket.sent[1] ?? new Uint8Array(0))
		await side.delivered(2)
		expect(values(side)).toEqual([0, 1])
	})

	it('tells a late reader of an end that came before it', async () => {
		const [socket] = memorySocketPair()
		const ciphers = {
			sealer: nodeCrypto.createRecordCipher(new Uint8Array(32)),
			opener: nodeCrypto.createRecordCipher(new Uint8Array(32)),
		}
		const channel = createSecureChannel({ socket, ...ciphers, early: [new Uint8Array(3)] })
		expect(socket.isOpen).toBe(false)
		expect(await listen(channel, socket).ended).toMatchObject({ fault: { code: 'RECORD_TRUNCATED' } })
	})

	it('delivers nothing while paused, and all of it in order afterwards', async () => {
		const [client, agent] = await connect()
		agent.channel.pause()
		agent.channel.pause()
		sendNumbers(client, 3)
		await settle()
		expect(agent.records).toHaveLength(0)
		expect(agent.socket.isPaused).toBe(true)
		agent.channel.resume()
		agent.channel.resume()
		await agent.delivered(3)
		expect(values(agent)).toEqual([0, 1, 2])
	})

	it('stops at the very record at which its reader pauses, though more were read already', async () => {
		const [client, agent] = await connect({ agent: webCrypto })
		const seen: number[] = []
		let onPaused: () => void = () => undefined
		const paused = new Promise<void>((resolve) => {
			onPaused = resolve
		})
		agent.channel.setHandlers({
			onRecord: (record) => {
				seen.push(record[0] ?? -1)
				if (seen.length === 2) {
					agent.channel.pause()
					onPaused()
				}
			},
			onEnd: () => undefined,
		})
		sendNumbers(client, 5)
		await paused
		await settle()
		expect(seen).toEqual([0, 1])
		agent.channel.resume()
		while (seen.length < 5) await settle()
		expect(seen).toEqual([0, 1, 2, 3, 4])
	})

	it('closes after what is being sealed, once, and delivers nothing more', async () => {
		const [client, agent] = await connect({ client: webCrypto })
		agent.channel.send(byte(9))
		sendNumbers(client, 3)
		client.channel.close(4409, 'replaced')
		client.channel.close(1000, 'again')
		client.channel.send(byte(4))
		expect(await agent.ended).toEqual({ kind: 'closed', close: { code: 4409, reason: 'replaced' } })
		expect(await client.ended).toEqual({ kind: 'closed', close: { code: 4409, reason: 'replaced' } })
		expect(values(agent)).toEqual([0, 1, 2])
		expect(client.records).toHaveLength(0)
	})

	it('drops everything at once when terminated, and lets go who waits for a drain', async () => {
		const [client, agent] = await connect({ client: webCrypto })
		sendNumbers(client, 3)
		const drained = new Promise<void>((resolve) => client.channel.onceDrained(0, resolve))
		client.channel.terminate()
		client.channel.terminate()
		await drained
		expect(await client.ended).toEqual({ kind: 'closed', close: { code: 1006, reason: '' } })
		expect(await agent.ended).toEqual({ kind: 'closed', close: { code: 1006, reason: '' } })
		expect(agent.records).toHaveLength(0)
		client.channel.terminate()
	})

	it('wipes its keys at the end', async () => {
		let wiped = 0
		const counting: CryptoDriver = {
			...nodeCrypto,
			createRecordCipher: (key) => ({ ...passed(nodeCrypto.createRecordCipher(key)), wipe: () => void wiped++ }),
		}
		const [client, agent] = await connect({ agent: counting })
		client.channel.close(1000, '')
		await agent.ended
		expect(wiped).toBe(2)
	})
})
