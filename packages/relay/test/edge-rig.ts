/** An edge on a real port with a control plane in memory, and the peers that talk to it; for tests of the edge alone. */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HopMessage, NodeId, Scope } from '@sallyport/protocol'
import {
	encodeMessage,
	nodeIdFromHash,
	nodeIdInput,
	parseLinkBoundMessage,
	parseNodeBoundMessage,
	parseServerMessage,
	relayIdSchema,
	signingInput,
	silentLogger,
	userIdSchema,
} from '@sallyport/protocol'
import type { SocketClose } from '@sallyport/transport'
import type { NodeMessageSocket } from '@sallyport/transport/node'
import { dialWebSocket } from '@sallyport/transport/node'
import * as v from 'valibot'
import type { Access, ControlPlane, Decision, NodeRecord, Principal, Revocation } from '../src/control-plane.ts'
import { createAddressReader } from '../src/edge/client-address.ts'
import type { Edge, EdgeOptions } from '../src/edge/edge.ts'
import { createEdge } from '../src/edge/edge.ts'
import { createOrigins } from '../src/edge/origins.ts'

export const RELAY_ID = v.parse(relayIdSchema, 'relay-0001')

export function refusal(
	close: 'credential_expired' | 'not_found' | 'rate_limited' | 'forbidden',
	reason: string,
	retryAfterMs?: number,
) {
	return { ok: false, close, api: 'forbidden', reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } as const
}

/** Door one in memory. Tests change its fields. */
export class FakeControl implements ControlPlane {
	readonly relayId = RELAY_ID
	readonly principals = new Map<string, Principal>()
	readonly tickets = new Map<string, Principal>()
	readonly nodes = new Map<NodeId, NodeRecord>()
	/** `user/node` pairs that may open. */
	readonly grants = new Map<string, Access>()
	readonly events: string[] = []
	readonly helloCounts = new Map<string, number>()
	helloLimit = Number.POSITIVE_INFINITY
	isDatabaseGone = false
	/** Runs in the middle of `authorizeOpen`, after its decision is made. */
	whileAuthorizing: (() => Promise<void> | void) | undefined
	readonly #revocations = new Set<(revocation: Revocation) => void>()
	readonly #changes = new Set<(nodeId: NodeId) => void>()

	async authenticate(token: string): Promise<Decision<Principal>> {
		this.#demandDatabase()
		const value = this.principals.get(token)
		return value === undefined ? refusal('credential_expired', 'the credential is not valid; sign in again') : { ok: true, value }
	}

	async redeemPageTicket(ticket: string): Promise<Decision<Principal>> {
		const value = this.tickets.get(ticket)
		this.tickets.delete(ticket)
		return value === undefined ? refusal('credential_expired', 'the ticket is used or too old') : { ok: true, value }
	}

	async admitHello(address: string): Promise<Decision<{ giveBack(): Promise<void> }>> {
		const count = (this.helloCounts.get(address) ?? 0) + 1
		this.helloCounts.set(address, count)
		if (count > this.helloLimit) return refusal('rate_limited', 'too many attempts from this address', 30_000)
		const giveBack = async (): Promise<void> => {
			this.helloCounts.set(address, (this.helloCounts.get(address) ?? 1) - 1)
		}
		return { ok: true, value: { giveBack } }
	}

	async authorizeOpen(principal: Principal, nodeId: NodeId): Promise<Decision<NodeRecord>> {
		const node = this.nodes.get(nodeId)
		const isGranted = this.grants.has(`${principal.user.id}/${nodeId}`)
		await this.whileAuthorizing?.()
		return node !== undefined && isGranted
			? { ok: true, value: node }
			: refusal('not_found', 'there is no such machine, or it is not shared with you')
	}

	async findNode(nodeId: NodeId): Promise<NodeRecord | undefined> {
		this.#demandDatabase()
		return this.nodes.get(nodeId)
	}

	async markNodeConnected(nodeId: NodeId): Promise<void> {
		this.events.push(`connected ${nodeId}`)
	}

	async markNodeDisconnected(nodeId: NodeId, stoppedCleanly: boolean): Promise<void> {
		this.events.push(`disconnected ${nodeId} ${stoppedCleanly ? 'cleanly' : 'lost'}`)
	}

	async visibleNodes(principal: Principal): Promise<readonly { node: NodeRecord; access: Access }[]> {
		return [...this.nodes.values()].flatMap((node) => {
			const access = this.grants.get(`${principal.user.id}/${node.id}`)
			return access === undefined ? [] : [{ node, access }]
		})
	}

	onRevocation(listener: (revocation: Revocation) => void): () => void {
		this.#revocations.add(listener)
		return () => this.#revocations.delete(listener)
	}

	onNodeChange(listener: (nodeId: NodeId) => void): () => void {
		this.#changes.add(listener)
		return () => this.#changes.delete(listener)
	}

	revoke(revocation: Revocation): void {
		if (revocation.kind === 'node') this.nodes.delete(revocation.id)
		for (const listener of this.#revocations) listener(revocation)
	}

	changeNode(node: NodeRecord): void {
		this.nodes.set(node.id, node)
		for (const listener of this.#changes) listener(node.id)
	}

	addUser(name: string, options: { expiresAtMs?: number; scopes?: readonly Scope[]; credentialId?: string } = {}): Principal {
		const id = v.parse(userIdSchema, `user-${name}-0001`)
		const principal: Principal = {
			kind: 'cli',
			user: { id, email: `${name}@example.org`, username: name, roles: ['user'] },
			scopes: options.scopes ?? ['nodes:read', 'nodes:open'],
			credentialId: options.credentialId ?? `credential-${name}`,
			expiresAtMs: options.expiresAtMs ?? Date.now() + 3_600_000,
		}
		this.principals.set(`token-of-${name}`, principal)
		return principal
	}

	#demandDatabase(): void {
		if (this.isDatabaseGone) throw new Error('connect ECONNREFUSED')
	}
}

export interface TestNode {
	readonly id: NodeId
	readonly record: NodeRecord
	sign(challenge: Uint8Array, origin: string): Uint8Array
}

/** One end of a socket: what came, and waits for it. */
export class Talker {
	readonly socket: NodeMessageSocket
	readonly texts: string[] = []
	readonly binaries: Uint8Array[] = []
	close: SocketClose | undefined
	#wake: (() => void)[] = []
	#readTexts = 0

	constructor(socket: NodeMessageSocket) {
		this.socket = socket
		const note = (take: () => void): void => {
			take()
			for (const wake of this.#wake.splice(0)) wake()
		}
		socket.setHandlers({
			onText: (text) => note(() => this.texts.push(text)),
			onBinary: (bytes) => note(() => this.binaries.push(Uint8Array.from(bytes))),
			onClose: (close) =>
				note(() => {
					this.close = close
				}),
		})
	}

	send(message: HopMessage): void {
		this.socket.sendText(encodeMessage(message))
	}

	/** Resolves once `isThere`, or once the socket has closed. */
	async until(isThere: () => boolean): Promise<void> {
		while (!isThere() && this.close === undefined) await new Promise<void>((resolve) => this.#wake.push(resolve))
	}

	async nextText(): Promise<string> {
		await this.until(() => this.texts.length > this.#readTexts)
		return this.texts[this.#readTexts++] ?? '(closed)'
	}

	async closed(): Promise<SocketClose> {
		await this.until(() => false)
		return this.close ?? { code: 0, reason: '' }
	}

	/** The code that `refused` named, and the code that the socket closed with. */
	async refusedWith(): Promise<{ name: string; reason: string; code: number; retryAfterMs: number | undefined }> {
		const { code } = await this.closed()
		const last: { op?: string; code?: string; reason?: string; retry_after_ms?: number } = JSON.parse(this.texts.at(-1) ?? '{}')
		return {
			name: last.op === 'refused' ? (last.code ?? '') : '(no refusal)',
			reason: last.reason ?? '',
			code,
			retryAfterMs: last.retry_after_ms,
		}
	}
}

export interface EdgeRig {
	readonly control: FakeControl
	readonly edge: Edge
	readonly server: Server
	readonly origin: string
	dial(path: string, options?: { origin?: string; headers?: Record<string, string> }): Promise<Talker>
	addNode(name: string, owner?: Principal, change?: Partial<NodeRecord>): TestNode
	/** A client that has said hello and waits for its answer to `open`. */
	client(token: string, nodeId?: NodeId): Promise<Talker>
	/** A connected agent; it dials back by itself unless told not to. */
	agent(node: TestNode, options?: { dialsBack?: boolean }): Promise<TestAgent>
	link(user: string, node: TestNode, agent: TestAgent): Promise<{ client: Talker; agentEnd: Talker }>
	close(): Promise<void>
}

export interface TestAgent {
	readonly talker: Talker
	readonly links: Talker[]
	nextLink(): Promise<Talker>
}

export async function createEdgeRig(options: Partial<EdgeOptions> & { nowMs?: () => number } = {}): Promise<EdgeRig> {
	const control = new FakeControl()
	const server = createServer((_request, response) => response.writeHead(404).end())
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	const { port } = server.address() as AddressInfo
	const origin = `http://127.0.0.1:${port}`
	const origins = createOrigins({
		publicUrl: origin,
		allowedOrigins: ['https://page.example'],
		mode: 'development',
		port,
		isTls: false,
	})
	const edge = createEdge(
		{
			control,
			origins,
			clientAddress: createAddressReader({ ipSource: 'ConnectInfo', trustedProxies: [] }),
			log: silentLogger,
			nowMs: options.nowMs ?? Date.now,
		},
		{ pingMs: 20_000, statsRefreshMs: 15_000, socketsPerUser: 100, holdMs: 0, ...options },
	)
	server.on('upgrade', (request, socket, head) => edge.handleUpgrade(request, socket, head))
	const talkers: Talker[] = []

	const rig: EdgeRig = {
		control,
		edge,
		server,
		origin,
		async dial(path, dialOptions = {}) {
			const talker = new Talker(await dialWebSocket(origin.replace('http', 'ws') + path, dialOptions))
			talkers.push(talker)
			return talker
		},
		addNode(name, owner, change = {}) {
			const { publicKey, privateKey } = generateKeyPairSync('ed25519')
			const identityKey = new Uint8Array(Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'))
			const id = nodeIdFromHash(createHash('sha256').update(nodeIdInput(identityKey)).digest())
			const record: NodeRecord = {
				id,
				name,
				identityKey,
				createdAtMs: 1,
				stoppedCleanly: false,
				...(owner === undefined ? {} : { owner: { id: owner.user.id, username: owner.user.username } }),
				...change,
			}
			control.nodes.set(id, record)
			if (owner !== undefined) control.grants.set(`${owner.user.id}/${id}`, 'admin')
			return {
				id,
				record,
				sign: (challenge, dialled) =>
					new Uint8Array(
						sign(
							null,
							signingInput({ purpose: 'node_auth', challenge, origin: dialled, relayId: RELAY_ID, nodeId: id }),
							privateKey,
						),
					),
			}
		},
		async client(token, nodeId) {
			const talker = await rig.dial('/api/web/ws')
			await talker.nextText()
			talker.send({ op: 'hello', version: 1, token, ...(nodeId === undefined ? {} : { open: { node_id: nodeId } }) })
			return talker
		},
		async agent(node, { dialsBack = true } = {}) {
			const talker = await rig.dial('/api/nodes/ws')
			const first = parseServerMessage(await talker.nextText())
			const challenge = first.ok && first.value.op === 'auth_required' ? first.value.challenge : randomBytes(32)
			talker.send({
				op: 'hello',
				version: 1,
				node_id: node.id,
				signature: node.sign(challenge, origin),
				hostname: 'host',
				os: 'linux',
				agent_version: '0.1.0',
			})
			await talker.nextText()
			return dialsBack
				? dialingBack(rig, talker)
				: { talker, links: [], nextLink: () => Promise.reject(new Error('dials no links')) }
		},
		async link(user, node, agent) {
			const client = await rig.client(`token-of-${user}`, node.id)
			await client.nextText()
			const agentEnd = await agent.nextLink()
			await client.nextText()
			return { client, agentEnd }
		},
		async close() {
			await edge.close()
			for (const talker of talkers) talker.socket.terminate()
			server.close()
			server.closeAllConnections()
		},
	}
	return rig
}

/** Answers each dial request as an agent does, as long as its control socket is open. */
function dialingBack(rig: EdgeRig, talker: Talker): TestAgent {
	const links: Talker[] = []
	const waiting: ((link: Talker) => void)[] = []
	const answer = async (): Promise<void> => {
		for (;;) {
			const text = await talker.nextText()
			if (text === '(closed)') return
			const message = parseNodeBoundMessage(text)
			if (!message.ok || message.value.op !== 'dial') continue
			const link = await rig.dial('/api/nodes/link')
			await link.nextText()
			link.send({ op: 'hello', version: 1, link_ticket: message.value.link_ticket })
			const opened = parseLinkBoundMessage(await link.nextText())
			if (!opened.ok || opened.value.op !== 'opened') continue
			const waiter = waiting.shift()
			if (waiter === undefined) links.push(link)
			else waiter(link)
		}
	}
	// A dial that fails because the test is over has nobody to tell.
	answer().catch(() => undefined)
	return {
		talker,
		links,
		nextLink: () => {
			const link = links.shift()
			return link === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(link)
		},
	}
}
