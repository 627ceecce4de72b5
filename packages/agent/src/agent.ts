import { userInfo } from 'node:os'
import type { Clock, LinkAcceptor, NodeDescription } from '@sallyport/carrier'
import { createLinkAcceptor, systemClock } from '@sallyport/carrier'
import { createNodeCrypto } from '@sallyport/carrier/node'
import type { Logger, NodeId } from '@sallyport/protocol'
import { shortId } from '@sallyport/protocol'
import type { AgentConfig } from './config/config.ts'
import type { PolicyFile } from './config/policy-file.ts'
import { openPolicyFile } from './config/policy-file.ts'
import { createControlHandlers } from './control-handlers.ts'
import { AgentError, errorText } from './errors.ts'
import { Gate } from './gate/gate.ts'
import type { InviteOptions } from './gate/make-invite.ts'
import { makeInvite } from './gate/make-invite.ts'
import { PairingBook } from './gate/pairing-book.ts'
import { PairingLog } from './gate/pairing-log.ts'
import type { HostDescription } from './host-description.ts'
import { describeHost, endpointsOf } from './host-description.ts'
import type { AgentStatus, MadeInvite } from './local/control-api.ts'
import type { ControlServer } from './local/control-server.ts'
import { openControlServer } from './local/control-server.ts'
import type { Listener } from './local/listener.ts'
import { openListener } from './local/listener.ts'
import type { JoinSummary, MembershipDeps } from './membership.ts'
import { enrolByToken, joinRelay, moveRelay, readJoin, relayCa } from './membership.ts'
import { backoffMs } from './relay/backoff.ts'
import type { RelayState } from './relay/relay-connection.ts'
import type { RelayLink } from './relay/relay-link.ts'
import { startRelayLink } from './relay/relay-link.ts'
import { revocation } from './relay/vouch.ts'
import { reportStatus } from './report-status.ts'
import type { AgentState } from './state/agent-state.ts'
import { openAgentState } from './state/agent-state.ts'
import type { RelayPin } from './state/relay-pin.ts'
import { HostKeys } from './streams/host-keys.ts'
import type { Account } from './streams/shell-environment.ts'
import { Terminals } from './streams/terminals.ts'

export interface AgentDeps {
	readonly log: Logger
	/** @default systemClock */
	readonly clock?: Clock
	/** Uniform in [0, 1), for waits. @default Math.random */
	readonly random?: () => number
	/** The process's environment: programs get a small part of it. @default process.env */
	readonly env?: NodeJS.ProcessEnv
	/** Whose shell, home and name programs get. @default the user that the agent runs as */
	readonly account?: Account
	/** Each change of where the agent stands with its relay. */
	readonly onRelayState?: (state: RelayState) => void
	/** `sally agent stop` was asked for; whoever made the agent closes it. */
	readonly onStopRequest?: () => void
}

/** The agent of this machine: its links, terminals, and its place at a relay. */
export interface Agent {
	readonly nodeId: NodeId
	/** The relay that this node is enrolled at, if it is. */
	readonly relay: RelayPin | undefined
	/** Opens the own listener and the control socket, and connects to the relay. */
	start(): Promise<void>
	/** Enrols with an enrol token or a PAT, and connects. */
	enrol(origin: string, token: string): Promise<RelayPin>
	/** Enrols by a join, once `confirm` has said yes to who gains access. */
	join(text: string, confirm: (summary: JoinSummary) => Promise<boolean>): Promise<RelayPin>
	/** Goes on at the new address of the relay that this node is enrolled at, on the word of whoever runs both. */
	moveRelay(origin: string, relayId: string): Promise<RelayPin>
	/** Forgets the relay. Pairings stay. */
	logout(): Promise<void>
	invite(options?: InviteOptions): Promise<MadeInvite>
	status(): AgentStatus
	/** Reads the policy file again. */
	reload(): Promise<void>
	/** Ends links, terminals and sockets. Idempotent. */
	close(): Promise<void>
}

/**
 * Opens the data folder and puts the agent together; `start` begins.
 *
 * @throws {AgentError} `state_corrupt`, `bad_policy`, `bad_config`
 * @throws {SecureFileError} when the data folder is not private
 */
export async function createAgent(deps: AgentDeps, config: AgentConfig): Promise<Agent> {
	const clock = deps.clock ?? systemClock
	const env = deps.env ?? process.env
	const state = await openAgentState(config, { clock, log: deps.log, env })
	const policy = await openPolicyFile(config.policyFile, deps.log)
	return new NodeAgent({ ...deps, clock, env, random: deps.random ?? Math.random }, config, state, policy)
}

const RENEWAL_CHECK_MS = 6 * 3_600_000

type FullDeps = AgentDeps & Required<Pick<AgentDeps, 'log' | 'clock' | 'random' | 'env'>>

class NodeAgent implements Agent {
	readonly #deps: FullDeps
	readonly #config: AgentConfig
	readonly #state: AgentState
	readonly #policy: PolicyFile
	readonly #host: HostDescription = describeHost()
	readonly #book: PairingBook
	readonly #gate: Gate
	readonly #terminals: Terminals
	readonly #hostKeys: HostKeys
	readonly #acceptor: LinkAcceptor
	readonly #startedAtMs: number
	#relayLink: RelayLink | undefined
	#listener: Listener | undefined
	#control: ControlServer | undefined
	#pairWindowUntilMs = 0
	#connectTurn = 0
	#cancelRenewal: () => void = () => undefined
	#cancelEnrolment: () => void = () => undefined
	#closing: Promise<void> | undefined

	constructor(deps: FullDeps, config: AgentConfig, state: AgentState, policy: PolicyFile) {
		const { clock, log, env } = deps
		this.#deps = deps
		this.#config = config
		this.#state = state
		this.#policy = policy
		this.#startedAtMs = clock.nowMs()
		this.#hostKeys = new HostKeys(state.hostKeys, () => clock.nowMs())
		this.#terminals = new Terminals({
			clock,
			detachedMs: config.terminalDetachedMs,
			onChange: (owner) => this.#gate.tellTerminalsChanged(owner),
		})
		this.#book = new PairingBook(
			state.pairings,
			() => clock.nowMs(),
			(end) => this.#gate.endSession(end),
		)
		this.#gate = new Gate({
			clock,
			log,
			book: this.#book,
			pairingLog: new PairingLog(state.directory, log),
			streams: {
				clock,
				env,
				account: deps.account ?? userInfo(),
				terminals: this.#terminals,
				hostKeys: this.#hostKeys,
				ownSsh: { host: config.sshHost, port: config.sshPort },
				sshAuthMethod: config.sshAuthMethod,
				policy: () => policy.current,
			},
			isPairWindowOpen: () => this.#pairWindowUntilMs > clock.nowMs(),
			onRevoked: (sessionId, epoch) => this.#relayLink?.send(revocation(sessionId, epoch, state.identity)),
		})
		this.#acceptor = createLinkAcceptor({
			crypto: createNodeCrypto(),
			identity: () => state.identity.identity,
			node: () => this.#description(),
			gate: this.#gate,
			clock,
			log,
		})
	}

	get nodeId(): NodeId {
		return this.#state.identity.nodeId
	}

	get relay(): RelayPin | undefined {
		return this.#state.relay.value
	}

	async start(): Promise<void> {
		const config = this.#config
		const deps = this.#deps
		this.#control = await openControlServer(config.dataDir, this.#controlHandlers(), deps.log)
		try {
			this.#listener = await openListener({
				host: config.host,
				port: config.port,
				isPortFlexible: config.isPortFlexible,
				allowedHosts: config.allowedHosts,
				allowedOrigins: () => [...config.allowedOrigins, ...originOf(this.relay)],
				nodeId: this.nodeId,
				clock: deps.clock,
				log: deps.log,
				accept: (socket, context) => this.#acceptor.accept(socket, context),
			})
		} catch (error) {
			await this.close()
			throw error
		}
		this.#renewLater()
		if (this.relay !== undefined) await this.#connect(this.relay)
		else if (config.patToken !== undefined && config.relayUrl !== undefined)
			this.#enrolAtStart(config.relayUrl, config.patToken, 0)
		deps.log.info('agent started', { node: shortId(this.nodeId), host: this.#listener.host, port: this.#listener.port })
	}

	async enrol(origin: string, token: string): Promise<RelayPin> {
		const pin = await enrolByToken(origin, token, this.#membership())
		await this.#connect(pin)
		return pin
	}

	async join(text: string, confirm: (summary: JoinSummary) => Promise<boolean>): Promise<RelayPin> {
		const { bundle, summary } = readJoin(text, this.#deps.clock.nowMs())
		if (!(await confirm(summary))) throw new AgentError('join_declined', 'nothing was changed: the join was declined')
		const pin = await joinRelay(bundle, this.#membership())
		await this.#connect(pin)
		return pin
	}

	async moveRelay(origin: string, relayId: string): Promise<RelayPin> {
		const pin = await moveRelay(origin, relayId, this.#membership())
		await this.#connect(pin)
		return pin
	}

	async logout(): Promise<void> {
		this.#cancelEnrolment()
		this.#connectTurn++
		this.#relayLink?.stop()
		this.#relayLink = undefined
		await this.#state.relay.remove()
	}

	invite(options: InviteOptions = {}): Promise<MadeInvite> {
		return makeInvite(options, { pin: this.relay, nodeId: this.nodeId, book: this.#book, clock: this.#deps.clock })
	}

	status(): AgentStatus {
		return reportStatus({
			config: this.#config,
			state: this.#state,
			policy: this.#policy,
			book: this.#book,
			gate: this.#gate,
			terminals: this.#terminals,
			relayLink: this.#relayLink,
			listener: this.#listener,
			startedAtMs: this.#startedAtMs,
			pairWindowUntilMs: this.#pairWindowUntilMs,
			nowMs: this.#deps.clock.nowMs(),
		})
	}

	reload(): Promise<void> {
		return this.#policy.reload()
	}

	close(): Promise<void> {
		this.#closing ??= this.#close()
		return this.#closing
	}

	async #close(): Promise<void> {
		this.#cancelRenewal()
		this.#cancelEnrolment()
		this.#gate.close('agent_stopping', 'the agent of this machine is stopping')
		this.#relayLink?.stop()
		this.#terminals.close()
		this.#policy.close()
		await this.#listener?.close()
		await this.#control?.close()
	}

	async #connect(pin: RelayPin): Promise<void> {
		this.#relayLink?.stop()
		this.#relayLink = undefined
		const turn = ++this.#connectTurn
		const ca = await relayCa(this.#config)
		// Meanwhile the agent may have closed, or been told of another address or of none: the last word counts.
		if (this.#closing !== undefined || turn !== this.#connectTurn) return
		this.#relayLink = startRelayLink({
			config: this.#config,
			pin,
			identity: this.#state.identity,
			host: this.#host,
			ca,
			book: this.#book,
			acceptor: this.#acceptor,
			clock: this.#deps.clock,
			random: this.#deps.random,
			log: this.#deps.log,
			onState: (state) => this.#deps.onRelayState?.(state),
			onNamed: (name, owner) => this.#named(name, owner),
		})
	}

	#named(name: string, owner: RelayPin['owner']): void {
		const pin = this.relay
		if (pin === undefined || (pin.name === name && pin.owner?.id === owner?.id && pin.owner?.name === owner?.name)) return
		const { owner: _, ...rest } = pin
		const next = { ...rest, name, ...(owner === undefined ? {} : { owner }) }
		this.#state.relay
			.save(next)
			.catch((error: unknown) => this.#deps.log.error('name could not be stored', { reason: errorText(error) }))
	}

	#enrolAtStart(origin: string, token: string, attempt: number): void {
		if (this.#closing !== undefined) return
		this.enrol(origin, token).then(
			(pin) => this.#deps.log.info('enrolled', { origin: pin.origin, name: pin.name }),
			(error: unknown) => {
				const mayPass = error instanceof AgentError && error.retry
				const delayMs = backoffMs({ kind: mayPass ? 'unreachable' : 'refused' }, attempt, this.#deps.random)
				this.#deps.log.warn('not enrolled yet', { reason: errorText(error), retryInMs: Math.round(delayMs) })
				this.#cancelEnrolment = this.#deps.clock.setTimer(delayMs, () => this.#enrolAtStart(origin, token, attempt + 1))
			},
		)
	}

	#membership(): MembershipDeps {
		return { config: this.#config, state: this.#state, book: this.#book, host: this.#host, clock: this.#deps.clock }
	}

	#description(): NodeDescription {
		return {
			nodeId: this.nodeId,
			name: this.relay?.name ?? this.#config.name,
			...this.#host,
			endpoints: endpointsOf(this.#listener, this.relay?.origin),
		}
	}

	#controlHandlers(): ReturnType<typeof createControlHandlers> {
		return createControlHandlers({
			agent: this,
			gate: this.#gate,
			book: this.#book,
			hostKeys: this.#hostKeys,
			clock: this.#deps.clock,
			policyProblems: () => this.#policy.problems,
			openPairWindow: (untilMs) => {
				this.#pairWindowUntilMs = untilMs
			},
			onStop: () => this.#deps.onStopRequest?.(),
		})
	}

	#renewLater(): void {
		const { clock, log } = this.#deps
		const renew = (): void => {
			this.#state.identity
				.renewIfDue(clock.nowMs())
				.catch((error: unknown) => log.error('certificate could not be renewed', { reason: errorText(error) }))
			this.#cancelRenewal = clock.setTimer(RENEWAL_CHECK_MS, renew)
		}
		renew()
	}
}

function originOf(pin: RelayPin | undefined): readonly string[] {
	// A page's Origin header has no path, an origin of ours may.
	return pin === undefined ? [] : [new URL(pin.origin).origin]
}
