import type { ConnectionMessage, LinkEndCode, LinkLevelMessage, OpenStream, ResetCode, StreamMessage } from '@sallyport/protocol'

type Op = { readonly op: string }
type MessageOf<M extends Op, Name extends M['op']> = Extract<M, { readonly op: Name }>
type Without<M, Key extends PropertyKey> = M extends unknown ? Omit<M, Key> : never

/** Connection messages that the machine answers by itself. */
export type TransportMessage = MessageOf<ConnectionMessage, 'ack' | 'window' | 'ping' | 'pong'>
/** Connection messages that only the driver can act on: `session_gone`, `link_refused`, pairing. */
export type DriverMessage = Exclude<ConnectionMessage, TransportMessage>
export type StreamOpened = MessageOf<StreamMessage, 'stream_opened'>
/** Messages about an open stream that the application sends and reads. */
export type StreamNotice = Exclude<
	StreamMessage,
	MessageOf<StreamMessage, 'open_stream' | 'stream_opened' | 'stream_end' | 'stream_reset'>
>
/** Link-level messages whose `id` is new: their sender waits for an answer with the same `id`. */
export type LinkRequest = MessageOf<
	LinkLevelMessage,
	'list_terminals' | 'end_terminal' | 'rename_terminal' | 'list_sessions' | 'revoke_session' | 'approve_pairing' | 'deny_pairing'
>
export type LinkAnswer = MessageOf<
	LinkLevelMessage,
	'terminals' | 'sessions' | 'pairing_approved' | 'done' | 'failed' | 'unsupported'
>
export type LinkNotice = Exclude<LinkLevelMessage, LinkRequest | LinkAnswer | MessageOf<LinkLevelMessage, 'close_link'>>

/** What `openStream` takes: the machine adds `op` and `id`. */
export type OpenStreamRequest = Without<OpenStream, 'op' | 'id'>
/** What `sendRequest` takes: the machine adds `id`. */
export type LinkRequestBody = Without<LinkRequest, 'id'>
/** What `sendStreamMessage` takes: the machine adds `id`. */
export type StreamNoticeBody = Without<StreamNotice, 'id'>

/** What happened, in order. */
export type LinkMachineEvent =
	/** The peer wants a stream: answer by `acceptStream` or `resetStream`. Its data may follow at once. */
	| { readonly kind: 'stream_open'; readonly streamId: number; readonly open: OpenStream }
	/** The peer took a stream that was opened here. */
	| { readonly kind: 'stream_opened'; readonly streamId: number; readonly opened: StreamOpened }
	/**
	 * Data of a stream; `fd` for kind `exec` only. `bytes` is the receiver's to keep: a view into the record that was given to
	 * `receiveRecord` if it is most of it, else a copy. Peers may send byte by byte: who holds many events for long joins
	 * small ones. Each byte must be given back by `consume` once the application has taken it.
	 */
	| { readonly kind: 'data'; readonly streamId: number; readonly fd: number | undefined; readonly bytes: Uint8Array }
	| { readonly kind: 'stream_message'; readonly streamId: number; readonly message: StreamNotice }
	/** No data follows from the peer. */
	| { readonly kind: 'stream_end'; readonly streamId: number }
	/** Over both ways, at once; nothing else follows. What was not consumed is given back: drop it. */
	| { readonly kind: 'stream_reset'; readonly streamId: number; readonly code: ResetCode; readonly message: string | undefined }
	/** Both sides have ended: nothing else follows. Delivered data may still have to be consumed. */
	| { readonly kind: 'stream_closed'; readonly streamId: number }
	/** After `sendData` returned false: there is room again. */
	| { readonly kind: 'drained'; readonly streamId: number }
	/** The peer asks: answer by `sendMessage` with the same `id`. */
	| { readonly kind: 'request'; readonly message: LinkRequest }
	| { readonly kind: 'answer'; readonly message: LinkAnswer }
	| { readonly kind: 'notice'; readonly message: LinkNotice }
	| { readonly kind: 'driver_message'; readonly message: DriverMessage }
	/** The answer to the machine's own ping or to `probe`. */
	| { readonly kind: 'pong'; readonly rttMs: number }
	/** The last event. All streams are over. On `local` and `fault` poll the records that are left, then close. */
	| {
			readonly kind: 'link_closed'
			readonly by: 'local' | 'peer' | 'fault'
			readonly code: LinkEndCode
			readonly message: string | undefined
	  }
