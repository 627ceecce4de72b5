import type { SessionId } from '@sallyport/protocol'
import { fingerprintOf } from '@sallyport/protocol'
import type { AgentConfig } from './config/config.ts'
import type { PolicyFile } from './config/policy-file.ts'
import type { Gate } from './gate/gate.ts'
import type { PairingBook } from './gate/pairing-book.ts'
import { endpointsOf } from './host-description.ts'
import type { AgentStatus } from './local/control-api.ts'
import type { RelayLink } from './relay/relay-link.ts'
import type { AgentState } from './state/agent-state.ts'
import type { RelayPin } from './state/relay-pin.ts'
import type { Terminals } from './streams/terminals.ts'
import { AGENT_VERSION } from './version.ts'

export interface StatusDeps {
	readonly config: AgentConfig
	readonly state: AgentState
	readonly policy: PolicyFile
	readonly book: PairingBook
	readonly gate: Gate
	readonly terminals: Terminals
	readonly relayLink: RelayLink | undefined
	readonly listener: { readonly host: string; readonly port: number } | undefined
	readonly startedAtMs: number
	readonly pairWindowUntilMs: number
	readonly nowMs: number
}

/** What `sally agent status` shows, as of now. */
export function reportStatus(deps: StatusDeps): AgentStatus {
	const { config, state, book, gate, listener, policy } = deps
	const pin = state.relay.value
	const request = gate.pairingRequest
	return {
		version: AGENT_VERSION,
		pid: process.pid,
		startedAtMs: deps.startedAtMs,
		nodeId: state.identity.nodeId,
		fingerprint: fingerprintOf(state.identity.nodeId),
		name: pin?.name ?? config.name,
		dataDir: state.directory.path,
		sealedBy: state.sealingKey.source,
		...(pin === undefined ? {} : { relay: relayStatus(pin, deps.relayLink) }),
		...(listener === undefined ? {} : { listener: { host: listener.host, port: listener.port } }),
		endpoints: endpointsOf(listener, pin?.origin),
		links: gate.links.map((link) => ({
			deviceName: deviceName(book, link.session.session_id),
			user: link.session.user,
			via: link.device.context.via,
			address: link.device.context.address,
			openedAtMs: link.openedAtMs,
			streams: link.stats.streams,
		})),
		terminals: deps.terminals.all().map((terminal) => ({ ...terminal.info, user: terminal.owner.user })),
		sessions: book.sessions.length,
		...(request === undefined ? {} : { pairingRequest: request }),
		...(deps.pairWindowUntilMs > deps.nowMs ? { pairWindowUntilMs: deps.pairWindowUntilMs } : {}),
		policy: { path: config.policyFile, isDefault: policy.isDefault, problems: policy.problems },
		suspended: { users: book.suspensions.users.length, sessions: book.suspensions.sessions.length },
	}
}

function relayStatus(pin: RelayPin, link: RelayLink | undefined): NonNullable<AgentStatus['relay']> {
	const address = link?.address
	return {
		origin: pin.origin,
		...(pin.owner === undefined ? {} : { owner: pin.owner.name }),
		state: link?.state ?? { kind: 'stopped' },
		...(address === undefined ? {} : { address }),
	}
}

function deviceName(book: PairingBook, sessionId: SessionId): string {
	return book.sessions.find((session) => session.session_id === sessionId)?.device_name ?? 'unknown'
}
