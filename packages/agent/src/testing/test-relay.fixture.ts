import { randomBytes, verify } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:http'
import type { DialRequest, EnrolRequest, NodeBoundMessage, NodeMessage } from '@sallyport/protocol'
import {
	base64UrlToBytes,
	encodeMessage,
	formatToken,
	nodeIdSchema,
	parseLinkSocketMessage,
	parseNodeMessage,
	relayIdSchema,
	signingInput,
	TOKEN_RANDOM_BYTES,
	tokenFromRandom,
	userIdSchema,
} from '@sallyport/protocol'
import { createMemorySocketPair } from '@sallyport/testkit'
import type { MessageSocket } from '@sallyport/transport'
import { createWebSocketAcceptor, RECORD_SOCKET_BYTES } from '@sallyport/transport/node'
import * as v from 'valibot'

const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex')

/** A relay as small as it can be: it enrols, takes the control socket and splices. Tests bend it where they need. */
export class TestRelay {
	readonly server = createServer()
	readonly enrolled = new Map<string, EnrolRequest>()
	readonly messages: NodeMessage[] = []
	readonly connections: { readonly atMs: number }[] = []
	readonly relayId = v.parse(relayIdSchema, `relay-${randomBytes(6).toString('hex')}`)
	readonly user = { id: v.parse(userIdSchema, 'user-0001'), name: 'ada' }
	/** What the challenge says; a test may let it be another's. */
	claimedRelayId = this.relayId
	origins: string[] = []
	/** The address that control sockets must have been signed for, when it is not `origin`. */
	movedTo: string | undefined
	/** Closes each control socket with this instead of taking it. */
	refuseWith: number | undefined
	control: MessageSocket | undefined
	#port = 0
	#waiting = new Map<string, (socket: MessageSocket) => void>()
	#onChange: (() => void)[] = []

	get origin(): string {
		return `http://127.0.0.1:${this.#port}`
	}

	async start(): Promise<void> {
		const acceptor = createWebSocketAcceptor({ maxMessageBytes: RECORD_SOCKET_BYTES })
		this.server.on('request', (request, response) => {
			void readBody(request).then((body) => {
				// Safe: the agent under test made it; what is wrong in it shows in the asserts.
				const enrol = JSON.parse(body) as EnrolRequest
				const key = base64UrlToBytes(enrol.identity_key)
				if (!key.ok) throw new Error('bad key')
				const answer = {
					node_id: this.nodeIdOf?.(key.value),
					name: enrol.name,
					relay_id: this.claimedRelayId,
					origin: this.origin,
					owner: { id: this.user.id, username: this.user.name },
				}
				this.enrolled.set(enrol.token, enrol)
				response.writeHead(this.enrolStatus, { 'content-type': 'application/json' })
				response.end(
					this.enrolStatus === 200
						? JSON.stringify(answer)
						: JSON.stringify({ error: { code: 'token_invalid', message: 'the token was used' } }),
				)
			})
		})
		this.server.on('upgrade', (request: IncomingMessage, socket, head: Buffer) => {
			acceptor.accept(request, socket, head, (webSocket) => {
				if (request.url === '/api/nodes/ws') this.#takeControl(webSocket)
				else if (request.url === '/api/nodes/link') this.#takeLink(webSocket)
				else webSocket.close(4404, 'no such path')
			})
		})
		await new Promise<void>((resolve) => this.server.listen(this.#port, '127.0.0.1', resolve))
		const address = this.server.address()
		if (typeof address === 'object' && address !== null) this.#port = address.port
	}

	enrolStatus = 200
	/** Set by the world: hashing is the carrier's. */
	nodeIdOf: ((key: Uint8Array) => string) | undefined

	async stop(): Promise<void> {
		this.control?.close(1012, 'restarting')
		this.server.closeAllConnections()
		await new Promise<void>((resolve) => this.server.close(() => resolve()))
	}

	/** Cuts everything, as a machine does that loses power. */
	cut(): void {
		this.control?.terminate()
		this.server.closeAllConnections()
	}

	newToken(kind: 'enrol' | 'link_ticket' | 'pat'): string {
		return formatToken(tokenFromRandom(kind, new Uint8Array(randomBytes(TOKEN_RANDOM_BYTES))))
	}

	tell(message: NodeBoundMessage): void {
		this.control?.sendText(encodeMessage(message))
	}

	/** As a client that was let in at door one: a socket on which `opened` was said. */
	async open(change: Partial<DialRequest> = {}): Promise<MessageSocket> {
		const ticket = this.newToken('link_ticket')
		const { left, right } = createMemorySocketPair()
		const joined = new Promise<MessageSocket>((resolve) => {
			this.#waiting.set(ticket, (agentSide) => {
				splice(right, agentSide)
				resolve(left)
			})
		})
		this.tell({
			op: 'dial',
			link_ticket: ticket,
			origin: this.origin,
			user: this.user,
			client_address: '198.51.100.7',
			expires: Date.now() + 10_000,
			...change,
		})
		return joined
	}

	/** Resolves when `isThere` says so; it is asked after each message and connection. */
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

	#takeControl(socket: MessageSocket): void {
		this.connections.push({ atMs: Date.now() })
		this.#changed()
		if (this.refuseWith !== undefined) return socket.close(this.refuseWith, 'refused by the test')
		const challenge = new Uint8Array(randomBytes(32))
		socket.setHandlers({
			onText: (text) => {
				const parsed = parseNodeMessage(text)
				if (!parsed.ok) throw new Error(parsed.error.detail)
				const message = parsed.value
				if (message.op === 'hello' && this.#isRight(message, challenge)) {
					this.control = socket
					this.tell({
						op: 'hello_ok',
						version: 1,
						name: 'named by the relay',
						owner: this.user,
						origins: this.origins,
						address: '203.0.113.9',
					})
				}
				this.messages.push(message)
				this.#changed()
			},
			onBinary: () => undefined,
			onClose: () => {
				if (this.control === socket) this.control = undefined
				this.#changed()
			},
		})
		socket.sendText(
			encodeMessage({
				op: 'auth_required',
				relay_id: this.claimedRelayId,
				challenge,
				transport: 'websocket',
				versions: [1],
			} as NodeBoundMessage),
		)
	}

	#isRight(hello: Extract<NodeMessage, { op: 'hello' }>, challenge: Uint8Array): boolean {
		const key = [...this.enrolled.values()].at(-1)?.identity_key ?? ''
		const raw = base64UrlToBytes(key)
		if (!raw.ok) return false
		const nodeId = v.parse(nodeIdSchema, hello.node_id)
		const origin = this.movedTo ?? this.origin
		const input = signingInput({ purpose: 'node_auth', challenge, origin, relayId: this.relayId, nodeId })
		const publicKey = { key: Buffer.concat([SPKI_ED25519, raw.value]), format: 'der', type: 'spki' } as const
		return verify(null, input, publicKey, hello.signature)
	}

	isSignedBy(key: string, input: Uint8Array, signature: string): boolean {
		const publicKey = { key: Buffer.concat([SPKI_ED25519, Buffer.from(key, 'base64url')]), format: 'der', type: 'spki' } as const
		return verify(null, input, publicKey, Buffer.from(signature, 'base64url'))
	}

	#takeLink(socket: MessageSocket): void {
		socket.setHandlers({
			onText: (text) => {
				const parsed = parseLinkSocketMessage(text)
				const join = parsed.ok ? this.#waiting.get(parsed.value.link_ticket) : undefined
				if (!parsed.ok || join === undefined) return socket.close(4401, 'unknown ticket')
				this.#waiting.delete(parsed.value.link_ticket)
				socket.sendText(encodeMessage({ op: 'opened' }))
				join(socket)
			},
			onBinary: () => undefined,
			onClose: () => undefined,
		})
		socket.sendText(
			encodeMessage({
				op: 'auth_required',
				relay_id: this.claimedRelayId,
				challenge: new Uint8Array(32),
				transport: 'websocket',
				versions: [1],
			} as NodeBoundMessage),
		)
	}
}

function splice(left: MessageSocket, right: MessageSocket): void {
	const pass = (from: MessageSocket, to: MessageSocket): void =>
		from.setHandlers({
			onText: () => undefined,
			onBinary: (bytes) => {
				to.sendBinary(bytes.slice())
				if (to.bufferedBytes <= 1024 * 1024) return
				from.pause()
				to.onceDrained(256 * 1024, () => from.resume())
			},
			onClose: (close) => to.close(close.code === 1006 || close.code === 1005 ? 1000 : close.code, close.reason),
		})
	pass(left, right)
	pass(right, left)
}

async function readBody(request: IncomingMessage): Promise<string> {
	let text = ''
	for await (const chunk of request) text += String(chunk)
	return text
}
