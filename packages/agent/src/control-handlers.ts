import type { Clock } from '@sallyport/carrier'
import type { Agent } from './agent.ts'
import type { Gate } from './gate/gate.ts'
import type { PairingBook } from './gate/pairing-book.ts'
import { sessionInfo } from './gate/pairing-book.ts'
import type { ControlHandlers } from './local/control-api.ts'
import type { HostKeys } from './streams/host-keys.ts'

export interface ControlHandlersDeps {
	readonly agent: Agent
	readonly gate: Gate
	readonly book: PairingBook
	readonly hostKeys: HostKeys
	readonly clock: Clock
	readonly policyProblems: () => readonly string[]
	readonly openPairWindow: (untilMs: number) => void
	readonly onStop: () => void
}

/** What the CLI of this machine may ask: everything, since it is the same user. */
export function createControlHandlers(deps: ControlHandlersDeps): ControlHandlers {
	const { agent, gate, book } = deps
	return {
		status: async () => agent.status(),
		pairing_request: async () => {
			const request = gate.pairingRequest
			return request === undefined ? {} : { request }
		},
		approve: (request) => gate.approve(request.request_id, request.digits, request.capabilities),
		deny: async (request) => ({ found: gate.deny(request.request_id) }),
		open_pair_window: async (request) => {
			const untilMs = deps.clock.nowMs() + request.minutes * 60_000
			deps.openPairWindow(untilMs)
			return { untilMs }
		},
		invite: (request) =>
			agent.invite({
				...(request.minutes === undefined ? {} : { life: request.minutes * 60_000 }),
				...(request.capabilities === undefined ? {} : { capabilities: request.capabilities }),
			}),
		sessions: async () => ({
			sessions: book.sessions.map((session) =>
				sessionInfo(session, { isConnected: gate.isConnected(session.session_id), isCurrent: false }),
			),
		}),
		revoke: async (request) => {
			const ids = request.session_id === 'all' ? book.sessions.map((session) => session.session_id) : [request.session_id]
			const results = await Promise.all(ids.map((id) => gate.revoke(id)))
			return { revoked: results.filter((isRevoked) => isRevoked).length }
		},
		lift: async () => {
			await book.lift()
			return {}
		},
		forget_host: async (request) => ({ found: await deps.hostKeys.forget(request) }),
		join: async (request) => ({ name: (await agent.join(request.bundle, async () => true)).name }),
		enrol: async (request) => ({ name: (await agent.enrol(request.origin, request.token)).name }),
		logout: async () => {
			await agent.logout()
			return {}
		},
		reload: async () => {
			await agent.reload()
			return { problems: deps.policyProblems() }
		},
		stop: async () => {
			// After the answer is out.
			setImmediate(deps.onStop)
			return {}
		},
	}
}
