import type { NodeLink } from '@sallyport/carrier'
import type { LinkLevelMessage, Logger } from '@sallyport/protocol'
import { errorText } from '../errors.ts'
import type { Terminals } from '../streams/terminals.ts'
import type { ApproveResult } from './approval-desk.ts'
import type { Gate } from './gate.ts'
import type { PairingBook } from './pairing-book.ts'
import { sessionInfo } from './pairing-book.ts'

export interface RequestDeps {
	readonly gate: Gate
	readonly book: PairingBook
	readonly terminals: Terminals
	readonly log: Logger
}

type Request = LinkLevelMessage & { readonly id: number }
/** What a request is answered with. */
type Answer = Extract<LinkLevelMessage, { op: 'terminals' | 'sessions' | 'pairing_approved' | 'done' | 'failed' | 'unsupported' }>
type FailureCode = Extract<LinkLevelMessage, { op: 'failed' }>['code']

const SESSIONS_MAX = 64

/** Answers one request of a device. Others' terminals and sessions look like none at all. */
export async function answerRequest(link: NodeLink, request: Request, deps: RequestDeps): Promise<void> {
	try {
		link.send(await answer(link, request, deps))
	} catch (error) {
		deps.log.error('request failed', { op: request.op, reason: errorText(error) })
		link.send(failed(request.id, 'internal', 'the machine could not do that; its log has the reason'))
	}
}

async function answer(link: NodeLink, request: Request, deps: RequestDeps): Promise<Answer> {
	const { id } = request
	const owner = { deviceId: link.device.deviceId, user: link.session.user }
	const mayApprove = link.session.capabilities.includes('approve')
	switch (request.op) {
		case 'list_terminals':
			return { op: 'terminals', id, terminals: deps.terminals.list(owner).map((terminal) => terminal.info) }
		case 'end_terminal': {
			const terminal = deps.terminals.find(request.terminal_id, owner)
			if (terminal === undefined) return failed(id, 'not_found', 'this terminal has ended')
			terminal.end()
			return { op: 'done', id }
		}
		case 'rename_terminal': {
			const terminal = deps.terminals.find(request.terminal_id, owner)
			if (terminal === undefined) return failed(id, 'not_found', 'this terminal has ended')
			terminal.rename(request.name)
			return { op: 'done', id }
		}
		case 'list_sessions':
			return { op: 'sessions', id, sessions: visibleSessions(link, deps, mayApprove) }
		case 'revoke_session': {
			const isOwn = request.session_id === link.session.session_id
			if (!isOwn && !mayApprove) return failed(id, 'capability_missing', 'only a device that may let others in can remove others')
			return (await deps.gate.revoke(request.session_id))
				? { op: 'done', id }
				: failed(id, 'not_found', 'this device was removed already')
		}
		case 'approve_pairing':
			if (!mayApprove) return failed(id, 'capability_missing', 'this device may not let others in')
			return approveAnswer(id, await deps.gate.approve(request.request_id, request.digits))
		case 'deny_pairing':
			if (!mayApprove) return failed(id, 'capability_missing', 'this device may not let others in')
			return deps.gate.deny(request.request_id) ? { op: 'done', id } : failed(id, 'not_found', 'this request is over')
		default:
			// An answer or notice that a device has no business sending.
			return { op: 'unsupported', id, what: request.op }
	}
}

function visibleSessions(
	link: NodeLink,
	deps: RequestDeps,
	mayApprove: boolean,
): Extract<LinkLevelMessage, { op: 'sessions' }>['sessions'] {
	return deps.book.sessions
		.filter((session) => mayApprove || session.session_id === link.session.session_id)
		.slice(-SESSIONS_MAX)
		.map((session) =>
			sessionInfo(session, {
				isConnected: deps.gate.isConnected(session.session_id),
				isCurrent: session.session_id === link.session.session_id,
			}),
		)
}

function approveAnswer(id: number, result: ApproveResult): Answer {
	switch (result.kind) {
		case 'approved':
			return { op: 'pairing_approved', id, return_code: result.returnCode }
		case 'wrong_code':
			return failed(id, 'wrong_code', 'these are not the digits on the new device; one more mistake ends the request')
		case 'burned':
			return failed(
				id,
				'burned',
				'the digits were wrong twice: the request is over. Ask again from the new device, and make sure that it is yours',
			)
		case 'not_found':
			return failed(id, 'not_found', 'this request is over')
	}
}

function failed(id: number, code: FailureCode, message: string): Answer {
	return { op: 'failed', id, code, message }
}
