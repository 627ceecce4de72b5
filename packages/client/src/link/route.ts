import type { NodeId } from '@sallyport/protocol'
import type { MessageSocket } from '@sallyport/transport'

export type Dial = (url: string, signal?: AbortSignal) => Promise<MessageSocket>

/** A way to a node: a socket to it on which `opened` was said. Rejects with `ClientError`. */
export type Route = (nodeId: NodeId, signal: AbortSignal) => Promise<MessageSocket>
