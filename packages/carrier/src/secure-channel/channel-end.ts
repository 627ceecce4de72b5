import type { SocketClose } from '@sallyport/transport'

/** Why this side ended a connection; listed in `docs/errors.md`. */
export const CHANNEL_FAULT_CODES = [
	/** A record was altered, dropped, repeated, put out of order, or is of another connection or direction. */
	'RECORD_FORGED',
	'RECORD_TOO_LARGE',
	'RECORD_TRUNCATED',
	/** A text message where only records may come. */
	'TEXT_UNEXPECTED',
	/** More arrived than flow control allows, while the reader was paused. */
	'INBOUND_OVERRUN',
	/** This side's own crypto failed. */
	'CRYPTO_FAILED',
] as const
export type ChannelFaultCode = (typeof CHANNEL_FAULT_CODES)[number]

export interface ChannelFault {
	readonly code: ChannelFaultCode
	/** For the log; holds no secret. */
	readonly detail: string
}

/** How a connection ended. After a fault the link may resume by a fresh handshake. */
export type ChannelEnd =
	| { readonly kind: 'closed'; readonly close: SocketClose }
	| { readonly kind: 'fault'; readonly fault: ChannelFault }
