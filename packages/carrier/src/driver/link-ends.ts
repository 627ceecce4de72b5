import type { LinkMachineEvent } from '@sallyport/link'
import type { LinkEndCode } from '@sallyport/protocol'
import { closeFromCode } from '@sallyport/protocol'
import type { LinkEnd } from '../link.ts'
import type { ChannelEnd } from '../secure-channel/channel-end.ts'

/** Ends after which the same device may simply dial again. */
const RETRY: ReadonlySet<LinkEndCode> = new Set([
	'connection_lost',
	'tampered',
	'agent_stopping',
	'agent_restarted',
	'parked_too_long',
	'resume_failed',
])

const MESSAGES: Partial<Record<LinkEndCode, string>> = {
	closed_by_client: 'closed',
	closed_by_node: 'the machine closed the link',
	session_revoked: 'this device was revoked at the machine',
	session_expired: 'this device’s permission at the machine has expired',
	agent_stopping: 'the agent on the machine is stopping',
	agent_restarted: 'the agent on the machine was restarted',
	replaced: 'another window of this device took over the link',
	protocol_error: 'the two sides did not understand each other',
}

export function linkEndFromMachine(event: Extract<LinkMachineEvent, { kind: 'link_closed' }>): LinkEnd {
	const { code } = event
	return { code, message: event.message ?? MESSAGES[code] ?? code, retry: RETRY.has(code) }
}

/** How the loss of its only connection ends a link. */
export function linkEndFromChannel(end: ChannelEnd): LinkEnd {
	if (end.kind === 'fault') {
		const isPath = end.fault.code === 'RECORD_FORGED' || end.fault.code === 'RECORD_TRUNCATED'
		return isPath
			? { code: 'tampered', message: 'something on the path altered the traffic; nothing altered was let through', retry: true }
			: { code: 'protocol_error', message: `the connection was cut: ${end.fault.detail}`, retry: true }
	}
	const close = closeFromCode(end.close.code)
	return { code: 'connection_lost', message: close.message, retry: close.retry || close.name === 'normal' }
}
