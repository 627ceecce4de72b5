import { LIMITS } from '@sallyport/protocol'

/** Largest message on a socket that carries records: one record, and room for none more. */
export const RECORD_SOCKET_BYTES: number = LIMITS.recordBytes + 1
/** Largest message on an agent's control socket. */
export const CONTROL_SOCKET_BYTES: number = LIMITS.nodeControlMessageBytes

/** What every socket of ours has in common, dialled or accepted. */
export const SOCKET_OPTIONS = {
	perMessageDeflate: false,
	closeTimeout: 2000,
	/** A message may come in this many pieces; proxies split messages, but not into crumbs. */
	maxFragments: 1024,
	maxBufferedChunks: 4096,
} as const
