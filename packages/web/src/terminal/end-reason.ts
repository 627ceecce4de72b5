import type { TerminalEnd } from '@sallyport/client'
import type { HostKeyNotice, LinkEndCode } from '@sallyport/protocol'
import type { Problem } from '../lib/problem.ts'
import { sentence } from '../lib/problem.ts'
import type { TabPhase } from '../state/tabs.ts'

type Ended = Extract<TabPhase, { kind: 'ended' }>

/** Ends of a link after which dialling again is for its person to decide. After others, a new sign-in may be all it needs. */
const FINAL_LINK_ENDS: ReadonlySet<LinkEndCode> = new Set([
	'tampered',
	'handshake_failed',
	'key_changed',
	'closed_by_client',
	'session_revoked',
	'session_expired',
	'session_unknown',
	'pairing_required',
	'protocol_error',
])

/** Whether the shell itself is over, so that coming back means a new one. */
export function isShellOver(end: TerminalEnd): boolean {
	return end.kind === 'exit' || (end.kind === 'reset' && end.reset.byPeer)
}

/** How the end of a terminal is told. `undefined`: its link was lost and coming back is worth a try. */
export function endedPhase(end: TerminalEnd, hostKey: HostKeyNotice | undefined): Ended | undefined {
	switch (end.kind) {
		case 'exit':
			return exitPhase(end)
		case 'detached':
			return { kind: 'ended', reason: 'Detached', detail: 'The shell goes on at the machine.', tone: 'calm', again: true }
		case 'link':
			if (end.end.retry || !FINAL_LINK_ENDS.has(end.end.code)) return undefined
			return { kind: 'ended', reason: 'The connection ended', detail: sentence(end.end.message), tone: 'error', again: true }
		case 'reset':
			if (end.reset.code === 'link_lost') return undefined
			return resetPhase(end.reset.code, end.reset.message, hostKey)
	}
}

const FAILURES: Readonly<Record<string, string>> = {
	node_offline: 'The machine is offline',
	not_paired: 'This browser is not paired with the machine',
	session_gone: 'The machine no longer knows this browser',
	key_changed: 'The machine’s key has changed',
	unauthenticated: 'Sign in again',
	rate_limited: 'Too many attempts',
	network: 'The relay can’t be reached',
}

/** How a terminal that could not be opened is told. */
export function failedPhase(problem: Problem, hostKey: HostKeyNotice | undefined): Ended {
	const known = resetPhase(problem.resetCode ?? problem.code, problem.message, hostKey)
	if (known.reason !== UNNAMED_END) return known
	return {
		kind: 'ended',
		reason: FAILURES[problem.code] ?? 'The terminal could not be opened',
		detail: problem.message,
		tone: 'error',
		again: true,
	}
}

const UNNAMED_END = 'The terminal ended'

function exitPhase({ status, signal }: Extract<TerminalEnd, { kind: 'exit' }>): Ended {
	const base = { kind: 'ended', again: true } as const
	if (signal !== undefined) return { ...base, reason: `Ended by signal ${signal}`, tone: 'error' }
	if (status === undefined || status === 0) return { ...base, reason: 'The shell has exited', tone: 'calm' }
	return { ...base, reason: `The shell has exited with status ${status}`, tone: 'calm' }
}

function resetPhase(code: string, message: string, hostKey: HostKeyNotice | undefined): Ended {
	const base = { kind: 'ended', tone: 'error', again: true } as const
	switch (code) {
		case 'host_key_changed':
			return {
				...base,
				reason: 'The host key has changed: refused',
				detail: `${hostKey?.host ?? 'The host'} showed another key than the one pinned before. Either the host was reinstalled, or someone stands between.`,
			}
		case 'auth_failed':
			return { ...base, reason: 'The login was refused', detail: sentence(message) }
		case 'cancelled':
			return { ...base, reason: 'Cancelled', tone: 'calm' }
		case 'not_found':
			return { ...base, reason: 'That terminal is gone', detail: 'Its shell ended while this page was away.', tone: 'calm' }
		case 'agent_restarted':
			return { ...base, reason: 'The agent has restarted', detail: 'Its terminals ended with it.' }
		case 'capability_missing':
			return { ...base, reason: 'This browser may not do that here', detail: sentence(message) }
		case 'policy_refused':
			return { ...base, reason: 'The machine’s policy refuses it', detail: sentence(message) }
		default:
			return { ...base, reason: UNNAMED_END, detail: sentence(message) }
	}
}
