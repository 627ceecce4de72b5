import type { Clock } from '@sallyport/carrier'
import type {
	AuthRequired,
	DialRequest,
	Logger,
	NodeBoundMessage,
	NodeHelloOk,
	NodeMessage,
	NodeStats,
} from '@sallyport/protocol'
import { CLOSE, encodeMessage, LIMITS, PROTOCOL_VERSION, parseNodeBoundMessage, signingInput } from '@sallyport/protocol'
import type { MessageSocket, SocketClose } from '@sallyport/transport'
import { TransportError } from '@sallyport/transport'
import { errorText } from '../errors.ts'
import type { NodeIdentity } from '../state/node-identity.ts'
import type { RelayPin } from '../state/relay-pin.ts'
import type { ConnectionFailure } from './backoff.ts'
import { backoffMs, closeText } from './backoff.ts'
import { socketUrl } from './origin.ts'

/** Where the agent stands with its relay, for people. */
export type RelayState =
	| { readonly kind: 'connecting'; readonly sinceMs: number }
	| { readonly kind: 'connected'; readonly sinceMs: number; readonly latencyMs?: number }
	/** `needsPerson`: it goes on trying, slowly, but somebody has to do what `reason` says. */
	| { readonly kind: 'waiting'; readonly reason: string; readonly untilMs: number; readonly needsPerson: boolean }
	| { readonly kind: 'stopped' }

/** A dialled socket and what keeps it alive. */
export interface RelaySocket {
	readonly socket: MessageSocket
	/** Starts pinging; returns the stop. */
	keepAlive(onRtt: (rttMs: number) => void): () => void
}

export interface RelayConnectionDeps {
	readonly pin: RelayPin
	readonly identity: NodeIdentity
	readonly host: { readonly hostname: string; readonly os: string; readonly agentVersion: string }
	readonly dial: (url: string, signal: AbortSignal) => Promise<RelaySocket>
	readonly stats: () => Promise<NodeStats>
	readonly statsIntervalMs: number
	readonly clock: Clock
	readonly random: () => number
	readonly log: Logger
	readonly hasLinks: () => boolean
	readonly onConnected: (hello: NodeHelloOk) => void
	readonly onDial: (request: DialRequest) => void
	readonly onMessage: (message: Extract<NodeBoundMessage, { op: 'suspend' | 'session_verify_request' }>) => void
	readonly onState: (state: RelayState) => void
}

/** A connection that lasted this long was sound: the next loss starts with a short wait again. */
const SOUND_MS = 30_000

/** The agent's control socket: kept for ever, with waits that grow, spread out and say what they wait for. */
export class RelayConnection {
	readonly #deps: RelayConnectionDeps
	#state: RelayState = { kind: 'stopped' }
	#attempt = 0
	#socket: MessageSocket | undefined
	#latencyMs: number | undefined
	#address: string | undefined
	#cancel: () => void = () => undefined
	#isStopped = true

	constructor(deps: RelayConnectionDeps) {
		this.#deps = deps
	}

	get state(): RelayState {
		return this.#state
	}

	/** The address that the relay sees this node come from. */
	get address(): string | undefined {
		return this.#address
	}

	start(): void {
		if (!this.#isStopped) return
		this.#isStopped = false
		this.#connect()
	}

	/** Does nothing while there is no connection: what matters is told again at the next one. */
	send(message: NodeMessage): void {
		if (this.#state.kind === 'connected') this.#socket?.sendText(encodeMessage(message))
	}

	/** Says that this is a stop and no loss; then closes. */
	stop(): void {
		if (this.#isStopped) return
		this.send({ op: 'stopping' })
		this.#isStopped = true
		this.#cancel()
		this.#socket?.close(CLOSE.normal.code, 'agent is stopping')
		this.#socket = undefined
		this.#set({ kind: 'stopped' })
	}

	#set(state: RelayState): void {
		this.#state = state
		this.#deps.onState(state)
	}

	#connect(): void {
		const deps = this.#deps
		const controller = new AbortController()
		this.#set({ kind: 'connecting', sinceMs: deps.clock.nowMs() })
		this.#cancel = () => controller.abort()
		deps.dial(socketUrl(deps.pin.dial_origin, '/api/nodes/ws'), controller.signal).then(
			(dialled) => {
				if (this.#isStopped) dialled.socket.close(CLOSE.normal.code, 'agent is stopping')
				else this.#greet(dialled)
			},
			(error: unknown) => {
				if (!this.#isStopped) this.#dialFailed(error)
			},
		)
	}

	#dialFailed(error: unknown): void {
		const mayPass = !(error instanceof TransportError) || error.retry || error.code === 'DIAL_HTTP_STATUS'
		this.#wait(mayPass ? { kind: 'unreachable' } : { kind: 'refused' }, errorText(error), !mayPass)
	}

	/** From the open socket to `hello_ok`. */
	#greet({ socket, keepAlive }: RelaySocket): void {
		this.#socket = socket
		let connectedAtMs: number | undefined
		let stopKeeping: () => void = () => undefined
		let stopBeating: () => void = () => undefined
		let refusal: string | undefined
		const cancelTimeout = this.#deps.clock.setTimer(LIMITS.helloMs, () => socket.close(CLOSE.timedOut.code, CLOSE.timedOut.name))
		this.#cancel = cancelTimeout
		const fail = (code: number, reason: string): void => {
			refusal = reason
			socket.close(code, reason)
		}
		socket.setHandlers({
			onText: (text) => {
				const message = parseNodeBoundMessage(text)
				if (!message.ok) {
					this.#deps.log.warn('message of the relay was not understood', {
						fault: message.error.code,
						detail: message.error.detail,
					})
					// A newer relay may say things that this agent doesn't know; only the greeting must be whole.
					if (connectedAtMs === undefined)
						fail(CLOSE.badRequest.code, 'the relay said something that this version does not understand')
					return
				}
				if (message.value.op === 'refused') refusal = message.value.reason
				else if (connectedAtMs !== undefined) this.#handle(message.value)
				else if (message.value.op === 'auth_required') this.#answerChallenge(message.value, socket, fail)
				else if (message.value.op === 'hello_ok') {
					cancelTimeout()
					connectedAtMs = this.#deps.clock.nowMs()
					stopKeeping = keepAlive((rttMs) => this.#measured(rttMs))
					stopBeating = this.#connected(message.value, connectedAtMs)
				}
			},
			onBinary: () => fail(CLOSE.badRequest.code, 'the relay sent bytes on the control socket'),
			onClose: (close) => {
				cancelTimeout()
				stopKeeping()
				stopBeating()
				if (this.#socket === socket) this.#socket = undefined
				if (!this.#isStopped) this.#closed(close, connectedAtMs, refusal)
			},
		})
	}

	#answerChallenge(challenge: AuthRequired, socket: MessageSocket, fail: (code: number, reason: string) => void): void {
		const { pin, identity, host } = this.#deps
		if (challenge.relay_id !== pin.relay_id) {
			fail(CLOSE.forbidden.code, RELAY_CHANGED)
			return
		}
		if (!challenge.versions.includes(PROTOCOL_VERSION)) {
			fail(CLOSE.version.code, closeText(CLOSE.version.code, pin.dial_origin))
			return
		}
		const signature = identity.sign(
			signingInput({
				purpose: 'node_auth',
				challenge: challenge.challenge,
				origin: pin.dial_origin,
				relayId: pin.relay_id,
				nodeId: identity.nodeId,
			}),
		)
		const hello: NodeMessage = {
			op: 'hello',
			version: PROTOCOL_VERSION,
			node_id: identity.nodeId,
			signature,
			hostname: host.hostname,
			os: host.os,
			agent_version: host.agentVersion,
		}
		socket.sendText(encodeMessage(hello))
	}

	#connected(hello: NodeHelloOk, nowMs: number): () => void {
		this.#latencyMs = undefined
		this.#address = hello.address
		this.#set({ kind: 'connected', sinceMs: nowMs })
		this.#deps.log.info('connected to the relay', { origin: this.#deps.pin.dial_origin, name: hello.name })
		this.#deps.onConnected(hello)
		return this.#beat()
	}

	#handle(message: NodeBoundMessage): void {
		switch (message.op) {
			case 'dial':
				return this.#deps.onDial(message)
			case 'suspend':
			case 'session_verify_request':
				return this.#deps.onMessage(message)
			case 'auth_required':
			case 'hello_ok':
			case 'refused':
				// Out of place by now; the relay closes if it means it.
				return undefined
		}
	}

	#measured(rttMs: number): void {
		this.#latencyMs = rttMs
		if (this.#state.kind === 'connected') this.#state = { ...this.#state, latencyMs: rttMs }
	}

	/** Sends the host's figures now and at each interval. Returns the stop. */
	#beat(): () => void {
		let isOver = false
		let cancel: () => void = () => undefined
		const beat = (): void => {
			this.#deps.stats().then(
				(stats) => {
					if (isOver) return
					const latency = this.#latencyMs
					this.send({ op: 'heartbeat', stats, ...(latency === undefined ? {} : { latency_ms: latency }) })
				},
				(error: unknown) => this.#deps.log.warn('host figures could not be read', { reason: errorText(error) }),
			)
			cancel = this.#deps.clock.setTimer(this.#deps.statsIntervalMs, beat)
		}
		beat()
		return () => {
			isOver = true
			cancel()
		}
	}

	#closed(close: SocketClose, connectedAtMs: number | undefined, refusal: string | undefined): void {
		if (connectedAtMs !== undefined && this.#deps.clock.nowMs() - connectedAtMs >= SOUND_MS) this.#attempt = 0
		if (refusal === RELAY_CHANGED) {
			this.#wait(
				{ kind: 'refused' },
				`${RELAY_CHANGED}: another relay answers at ${this.#deps.pin.dial_origin} than the one this machine joined. If it was set up anew, join it with: sally agent join`,
				true,
			)
			return
		}
		const known = closeText(close.code, this.#deps.pin.dial_origin)
		const reason = refusal === undefined ? known : `${known} (${refusal})`
		this.#wait({ kind: 'closed', code: close.code, hadLinks: this.#deps.hasLinks() }, reason, NEEDS_PERSON.has(close.code))
	}

	#wait(failure: ConnectionFailure, reason: string, needsPerson: boolean): void {
		const delayMs = Math.round(backoffMs(failure, this.#attempt, this.#deps.random))
		this.#attempt++
		this.#set({ kind: 'waiting', reason, untilMs: this.#deps.clock.nowMs() + delayMs, needsPerson })
		this.#deps.log.warn('not connected to the relay', { origin: this.#deps.pin.dial_origin, reason, retryInMs: delayMs })
		this.#cancel = this.#deps.clock.setTimer(delayMs, () => this.#connect())
	}
}

const RELAY_CHANGED = 'the relay is not the one that was pinned'
const NEEDS_PERSON: ReadonlySet<number> = new Set([
	CLOSE.replaced.code,
	CLOSE.credentialExpired.code,
	CLOSE.forbidden.code,
	CLOSE.notFound.code,
	CLOSE.version.code,
])
