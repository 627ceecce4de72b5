import type { FaultCode, ProtocolFault, Result } from '@sallyport/protocol'

/** What a peer may do wrong besides sending what can't be parsed. Stable names; listed in `docs/errors.md`. */
export const MUX_FAULT_CODES = [
	/** An `ack` for bytes that were never sent, that were acked before, or that end inside a frame. */
	'ACK_OUT_OF_RANGE',
	/** As above, for the `received` of a resume. */
	'RESUME_OUT_OF_RANGE',
	/** More data than the window of the stream or of the link allowed. */
	'WINDOW_EXCEEDED',
	/** An id of the wrong side, used before, or never opened. */
	'ID_MISUSED',
	/** A message or data that the stream's state doesn't allow, such as data after `stream_end`. */
	'STREAM_STATE_INVALID',
	/** Control messages pile up here because the peer acks none of them. */
	'CONTROL_OVERFLOW',
	/** More arrived on a connection that is being replaced than its windows allow. */
	'FROZEN_OVERFLOW',
] as const
export type MuxFaultCode = (typeof MUX_FAULT_CODES)[number]

/**
 * Why a record was refused. `connection`: what arrived can't be parsed; this connection must end, the link may resume.
 * `link`: the peer broke the rules of the link, which is over on this side; one last record tells the peer.
 */
export interface LinkFault {
	readonly scope: 'connection' | 'link'
	readonly code: FaultCode | MuxFaultCode
	/** For this side's log. It never holds content. */
	readonly detail: string
}

export type LinkResult = Result<void, LinkFault>

export const DONE: LinkResult = { ok: true, value: undefined }

export function linkFault(code: MuxFaultCode, detail: string): { readonly ok: false; readonly error: LinkFault } {
	return { ok: false, error: { scope: 'link', code, detail } }
}

export function connectionFault(error: ProtocolFault): { readonly ok: false; readonly error: LinkFault } {
	return { ok: false, error: { scope: 'connection', code: error.code, detail: error.detail } }
}
