import type { ClientLink, LinkAnswer, LinkRequest, LinkStream } from '@sallyport/carrier'
import { type NodeId, parseWith, sessionIdSchema, type TerminalId, terminalIdSchema } from '@sallyport/protocol'
import { ClientError } from '../errors.ts'
import type { NodeConnection, TerminalSession } from '../sally-client.ts'
import { openSshLogin } from './ssh-login.ts'
import { openTerminalSession } from './terminal.ts'

/** The colours and keys that the page and most terminals speak. */
const TERM = 'xterm-256color'

/** What people do over an open link. */
export function createNodeConnection(nodeId: NodeId, link: ClientLink): NodeConnection {
	const ask = async <Op extends LinkAnswer['op']>(request: LinkRequest, op: Op): Promise<Extract<LinkAnswer, { op: Op }>> => {
		const answer = await link.request(request).catch((error: unknown) => Promise.reject(ClientError.from(error)))
		if (isAnswer(answer, op)) return answer
		throw new ClientError('answer_invalid', `the machine answered ${request.op} with ${answer.op}`)
	}
	const openStream = async (request: Parameters<ClientLink['openStream']>[0]): Promise<LinkStream> => {
		const { stream, opened } = link.openStream(request)
		await opened.catch((error: unknown) => Promise.reject(ClientError.from(error)))
		return stream
	}
	const term = (options?: { readonly term?: string }) => ({ term: options?.term ?? TERM })
	return {
		nodeId,
		link,
		session: link.ready.session,
		openTerminal: (size, options) =>
			openTerminalSession(link, {
				kind: 'shell',
				class: 'interactive',
				...size,
				...term(options),
				...(options?.name === undefined ? {} : { name: options.name }),
			}),
		attachTerminal: async (terminalId, size): Promise<TerminalSession> =>
			openTerminalSession(link, { kind: 'attach', class: 'interactive', ...size, terminal_id: toTerminalId(terminalId) }),
		openSsh: (size, login, target = {}) =>
			openSshLogin(link, { kind: 'ssh', class: 'interactive', ...size, ...term(), ...target }, login),
		openExec: (argv, options = {}) =>
			openStream({
				kind: 'exec',
				class: 'bulk',
				argv: [...argv],
				...options,
				...(options.env ? { env: { ...options.env } } : {}),
			}),
		openTcp: (target = {}) => openStream({ kind: 'tcp', class: 'bulk', ...target }),
		terminals: async () => (await ask({ op: 'list_terminals' }, 'terminals')).terminals,
		endTerminal: async (terminalId) => {
			await ask({ op: 'end_terminal', terminal_id: toTerminalId(terminalId) }, 'done')
		},
		renameTerminal: async (terminalId, name) => {
			await ask({ op: 'rename_terminal', terminal_id: toTerminalId(terminalId), name }, 'done')
		},
		devices: async () => (await ask({ op: 'list_sessions' }, 'sessions')).sessions,
		revokeDevice: async (sessionId) => {
			const id = parseWith(sessionIdSchema, sessionId)
			if (!id.ok) throw new ClientError('bad_request', 'that is not the id of a device session')
			await ask({ op: 'revoke_session', session_id: id.value }, 'done')
		},
		approvePairing: async (requestId, digits) =>
			(await ask({ op: 'approve_pairing', request_id: requestId, digits }, 'pairing_approved')).return_code,
		denyPairing: async (requestId) => {
			await ask({ op: 'deny_pairing', request_id: requestId }, 'done')
		},
		onNotice: (listener) => link.onNotice(listener),
	}
}

function isAnswer<Op extends LinkAnswer['op']>(answer: LinkAnswer, op: Op): answer is Extract<LinkAnswer, { op: Op }> {
	return answer.op === op
}

function toTerminalId(text: string): TerminalId {
	const id = parseWith(terminalIdSchema, text)
	if (id.ok) return id.value
	throw new ClientError('bad_request', 'that is not the id of a terminal')
}
