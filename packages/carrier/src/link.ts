import type { LinkNotice } from '@sallyport/link'
import type { LinkEndCode, LinkId, LinkLevelMessage, LinkReady, OpenStream } from '@sallyport/protocol'
import type { LinkStream } from './link-stream.ts'

/** What the caller of `openStream` names: the message without what the link adds. */
export type StreamRequest = OpenStream extends infer O ? (O extends OpenStream ? Omit<O, 'op' | 'id'> : never) : never

/** A request message without its `id`, which the link adds. */
export type LinkRequest = WithoutId<
	Extract<
		LinkLevelMessage,
		{
			op:
				| 'list_terminals'
				| 'end_terminal'
				| 'rename_terminal'
				| 'list_sessions'
				| 'revoke_session'
				| 'approve_pairing'
				| 'deny_pairing'
		}
	>
>
/** What answers a request. `failed` and `unsupported` reject instead, as a `LinkError`. */
export type LinkAnswer = Extract<LinkLevelMessage, { op: 'terminals' | 'sessions' | 'pairing_approved' | 'done' }>
type WithoutId<M> = M extends { id: number } ? Omit<M, 'id'> : never

/** Why a link is over. */
export interface LinkEnd {
	readonly code: LinkEndCode
	readonly message: string
	/** Whether dialling again, unchanged, may succeed. */
	readonly retry: boolean
}

export type { LinkNotice } from '@sallyport/link'

export interface LinkStats {
	/** Smoothed round trip inside the link, ms; absent before the first ack. */
	readonly rttMs?: number
	readonly bytesSent: number
	readonly bytesReceived: number
	readonly streams: number
}

/** What both ends of a link can do with it. */
export interface Link {
	readonly id: LinkId
	readonly stats: LinkStats
	readonly isOpen: boolean
	/** Settles once, when the link is over; never rejects. */
	readonly ended: Promise<LinkEnd>
	/** Ends the link and all its streams; idempotent. */
	close(code: LinkEndCode, message?: string): void
}

/** The client's end. */
export interface ClientLink extends Link {
	/** What the node said first: its name, this device's session there, limits. */
	readonly ready: LinkReady
	/** Resolves when the node took the stream, rejects with `LinkError` when it refused. Data may be written before. */
	openStream(request: StreamRequest): OpeningStream
	request(request: LinkRequest): Promise<LinkAnswer>
	/** Returns the unsubscribe. */
	onNotice(listener: (notice: LinkNotice) => void): () => void
}

/** A stream that was asked for; usable at once, since data may go before the answer. */
export interface OpeningStream {
	readonly stream: LinkStream
	readonly opened: Promise<{ readonly terminalId?: string; readonly name?: string }>
}
