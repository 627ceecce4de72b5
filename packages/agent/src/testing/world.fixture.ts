import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { ClientIntent, ClientLink, Clock, Identity, LinkStream, OpenedClientLink } from '@sallyport/carrier'
import { makeIdentity, nodeIdOf, openClientLink, runCryptoSync, systemClock } from '@sallyport/carrier'
import { createNodeCrypto } from '@sallyport/carrier/node'
import type { InviteBundle, LinkLevelMessage, SessionId } from '@sallyport/protocol'
import { encodeMessage, formatJoinBundle, parseInvite, parseServerMessage, parseToken, silentLogger } from '@sallyport/protocol'
import type { MessageSocket } from '@sallyport/transport'
import { dialWebSocket } from '@sallyport/transport/node'
import { expect } from 'vitest'
import type { Agent } from '../agent.ts'
import { createAgent } from '../agent.ts'
import type { AgentConfig } from '../config/config.ts'
import { parseAgentConfig } from '../config/config.ts'
import { TestRelay } from './test-relay.fixture.ts'

export const crypto = createNodeCrypto()

/** A device with keys of its own. */
export interface Device {
	readonly identity: Identity
	sessionId: SessionId | undefined
}

export function newDevice(): Device {
	return { identity: runCryptoSync(crypto, makeIdentity('device', Date.now())), sessionId: undefined }
}

/** An agent with its own data folder, a relay that it is enrolled at, and what to clean up. */
export class World {
	readonly relay = new TestRelay()
	agent: Agent
	readonly folder: string
	readonly config: AgentConfig
	readonly #clean: (() => Promise<unknown>)[] = []

	private constructor(agent: Agent, folder: string, config: AgentConfig) {
		this.agent = agent
		this.folder = folder
		this.config = config
		this.relay.nodeIdOf = (key) => runCryptoSync(crypto, nodeIdOf({ publicKey: key }))
	}

	static async make(
		options: {
			readonly config?: Partial<AgentConfig>
			readonly clock?: Clock
			readonly env?: NodeJS.ProcessEnv
			readonly isEnrolled?: boolean
		} = {},
	): Promise<World> {
		const folder = await mkdtemp(join(tmpdir(), 'sally-agent-'))
		const config = { ...configOf(join(folder, 'state')), ...options.config }
		const agent = await createAgent(
			{
				log: silentLogger,
				env: options.env ?? process.env,
				random: () => 0,
				account: accountAt(folder),
				...(options.clock === undefined ? {} : { clock: options.clock }),
			},
			config,
		)
		const world = new World(agent, folder, config)
		await agent.start()
		await world.relay.start()
		if (options.isEnrolled !== false) {
			await agent.enrol(world.relay.origin, world.relay.newToken('enrol'))
			await world.relay.until(() => world.relay.control !== undefined)
		}
		return world
	}

	onClose(clean: () => Promise<unknown>): void {
		this.#clean.push(clean)
	}

	async close(): Promise<void> {
		for (const clean of this.#clean.reverse()) await clean()
		await this.agent.close()
		await this.relay.stop()
		// A shell that was hung up still writes its history.
		await rm(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 25 })
	}

	/** Stops the agent and starts another one on the same folder. */
	async restart(): Promise<void> {
		await this.agent.close()
		this.agent = await createAgent({ log: silentLogger, random: () => 0, account: accountAt(this.folder) }, this.config)
		await this.agent.start()
		if (this.agent.relay !== undefined) await this.relay.until(() => this.relay.control !== undefined)
	}

	async invite(options: Parameters<Agent['invite']>[0] = {}): Promise<InviteBundle> {
		const made = await this.agent.invite(options)
		const parsed = parseInvite(made.text)
		if (!parsed.ok) throw new Error(parsed.error.detail)
		return parsed.value
	}

	async pair(device: Device, invite?: InviteBundle): Promise<ClientLink> {
		const { link } = await this.knock(device, pairIntent(invite ?? (await this.invite())))
		device.sessionId = link.ready.session.session_id
		return link
	}

	async open(device: Device): Promise<ClientLink> {
		if (device.sessionId === undefined) throw new Error('this device is not paired yet')
		return (await this.knock(device, { kind: 'open', sessionId: device.sessionId })).link
	}

	async knock(device: Device, intent: ClientIntent, socket?: MessageSocket): Promise<OpenedClientLink> {
		return openClientLink({
			socket: socket ?? (await this.relay.open()),
			crypto,
			identity: device.identity,
			nodeId: this.agent.nodeId,
			intent,
			clock: systemClock,
		})
	}

	/** A socket to the agent's own listener on which `opened` was said. */
	async direct(headers: Record<string, string> = {}): Promise<MessageSocket> {
		const port = this.agent.status().listener?.port
		const socket = await dialWebSocket(`ws://127.0.0.1:${port}/api/web/ws`, { headers })
		await new Promise<void>((resolve, reject) => {
			socket.setHandlers({
				onText: (text) => {
					const message = parseServerMessage(text)
					if (!message.ok) return reject(new Error(message.error.detail))
					if (message.value.op === 'auth_required') socket.sendText(encodeMessage({ op: 'hello' }))
					else if (message.value.op === 'hello_ok') socket.sendText(`{"op":"open","node_id":"${this.agent.nodeId}"}`)
					else if (message.value.op === 'opened') resolve()
					else reject(new Error(message.value.reason))
					return undefined
				},
				onBinary: () => undefined,
				onClose: (close) => reject(new Error(`closed with ${close.code}`)),
			})
		})
		return socket
	}
}

export function configOf(dataDir: string): AgentConfig {
	const parsed = parseAgentConfig({ flags: { DATA_DIR: dataDir, PORT: '0', STATS_REFRESH_INTERVAL: '1' }, env: {} })
	if (!parsed.ok) throw new Error(parsed.problems.join('; '))
	return parsed.config
}

export function pairIntent(invite: InviteBundle): ClientIntent {
	const { invite_id: secretId, secret, origin } = invite
	return { kind: 'pair', secret: { secretId, secret, origin }, deviceName: 'test device', deviceKind: 'cli' }
}

/** Everything that comes on a stream, with ways to wait for it. */
export class Collected {
	readonly stream: LinkStream
	readonly exits: { readonly status?: number; readonly signal?: string }[] = []
	readonly messages: { readonly op: string }[] = []
	reset: { readonly code: string; readonly message: string } | undefined
	isEnded = false
	isClosed = false
	#chunks: { readonly bytes: Uint8Array; readonly fd: number }[] = []
	#onChange: (() => void)[] = []

	constructor(
		stream: LinkStream,
		options: {
			readonly isReading?: boolean
			readonly onMessage?: (message: Parameters<NonNullable<Parameters<LinkStream['setHandlers']>[0]['onMessage']>>[0]) => void
		} = {},
	) {
		this.stream = stream
		stream.setHandlers({
			onData: (bytes, fd) => {
				this.#chunks.push({ bytes: bytes.slice(), fd })
				this.byteCount += bytes.length
				if (options.isReading !== false) stream.consume(bytes.length)
				this.#changed()
			},
			onMessage: (message) => {
				this.messages.push(message)
				if (message.op === 'exit') this.exits.push(message)
				options.onMessage?.(message)
				this.#changed()
			},
			onEnd: () => {
				this.isEnded = true
				this.#changed()
			},
			onReset: (reset) => {
				this.reset = reset
				this.#changed()
			},
			onClose: () => {
				this.isClosed = true
				this.#changed()
			},
		})
	}

	byteCount = 0

	bytes(fd?: number): Buffer {
		return Buffer.concat(this.#chunks.filter((chunk) => fd === undefined || chunk.fd === fd).map((chunk) => chunk.bytes))
	}

	text(fd?: number): string {
		return this.bytes(fd).toString()
	}

	until(isThere: () => boolean): Promise<void> {
		return new Promise((resolve) => {
			const check = (): void => {
				if (!isThere()) return
				this.#onChange = this.#onChange.filter((other) => other !== check)
				resolve()
			}
			this.#onChange.push(check)
			check()
		})
	}

	#changed(): void {
		for (const check of [...this.#onChange]) check()
	}
}

export const shellRequest = { kind: 'shell', class: 'interactive', cols: 80, rows: 24 } as const

/** The answer to a request, narrowed to the one that is expected. */
export function expectOp<Op extends LinkLevelMessage['op']>(
	message: LinkLevelMessage,
	op: Op,
): Extract<LinkLevelMessage, { op: Op }> {
	expect(message.op).toBe(op)
	// Safe: the line above has compared the discriminant.
	return message as Extract<LinkLevelMessage, { op: Op }>
}

export function deviceKey(device: Device): Uint8Array {
	return device.identity.identityKey.publicKey
}

/** A join as a page makes it for this device. */
export function joinText(
	relay: TestRelay,
	device: Device,
	change: { readonly expires?: number } = {},
): { text: string; secretId: string; secret: Uint8Array } {
	const secret = new Uint8Array(randomBytes(32))
	const enrolToken = relay.newToken('enrol')
	const token = parseToken(enrolToken)
	if (!token.ok) throw new Error(token.error.detail)
	const text = formatJoinBundle({
		enrolToken,
		origin: relay.origin,
		relay_id: relay.relayId,
		user: relay.user.name,
		secret,
		device_key: deviceKey(device),
		device_name: 'laptop',
		expires: change.expires ?? Date.now() + 60_000,
	})
	return { text, secretId: token.value.id, secret }
}

/** A home of its own: what this machine's user has in their login files is no part of a test. */
function accountAt(homedir: string) {
	return { ...userInfo(), homedir, shell: '/bin/bash' }
}
