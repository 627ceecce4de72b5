import { randomBytes } from 'node:crypto'
import { CLOSE, LIMITS, PROTOCOL_VERSIONS, parseLinkSocketMessage } from '@sallyport/protocol'
import type { EdgeContext, Peer } from './context.ts'
import type { Hop } from './hop.ts'

/**
 * Serves one socket at `/api/nodes/link`: an agent dials back with a ticket. A good ticket is never refused for its
 * address's sake; a bad one counts against it.
 */
export async function serveDialBack(context: EdgeContext, hop: Hop, peer: Peer): Promise<void> {
	hop.send({
		op: 'auth_required',
		relay_id: context.control.relayId,
		challenge: new Uint8Array(randomBytes(32)),
		transport: 'websocket',
		versions: [...PROTOCOL_VERSIONS],
	})
	const hello = await hop.read(parseLinkSocketMessage, LIMITS.helloMs)
	if (hello === undefined) return
	if (!PROTOCOL_VERSIONS.includes(hello.version)) return hop.refuse(CLOSE.version)
	if (context.tickets.redeem(hello.link_ticket, hop)) return
	const counted = await context.control.admitHello(peer.address)
	if (!counted.ok) return hop.refuseAs(counted)
	return hop.refuse(CLOSE.credentialExpired, 'the link ticket is unknown, used or too old')
}
