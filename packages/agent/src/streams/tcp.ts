import type { InboundStream } from '@sallyport/carrier'
import { connectTcp } from './connect.ts'
import { joinSocket } from './pipe.ts'
import type { Target } from './target.ts'

/** Joins a stream to a TCP connection that the policy has allowed. What came early waits in the stream for its handlers. */
export async function openTcp(inbound: InboundStream, target: Target, addresses: readonly string[]): Promise<void> {
	const result = await connectTcp(target.host, addresses, target.port)
	if (result.kind === 'failed') {
		inbound.stream.reset(result.code, result.message)
		return
	}
	inbound.accept()
	joinSocket(inbound.stream, result.socket)
}
