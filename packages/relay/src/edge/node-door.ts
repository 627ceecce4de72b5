import { createPublicKey, randomBytes, verify } from 'node:crypto'
import type { NodeHello } from '@sallyport/protocol'
import { CLOSE, LIMITS, PROTOCOL_VERSION, PROTOCOL_VERSIONS, parseNodeMessage, signingInput } from '@sallyport/protocol'
import type { NodeRecord } from '../control-plane.ts'
import type { EdgeContext, Peer } from './context.ts'
import type { Hop } from './hop.ts'
import { NodeSession } from './node-session.ts'

/** Serves one socket at `/api/nodes/ws`: an agent proves its identity key, then stays. */
export async function serveNode(context: EdgeContext, hop: Hop, peer: Peer): Promise<void> {
	const challenge = new Uint8Array(randomBytes(32))
	hop.send({
		op: 'auth_required',
		relay_id: context.control.relayId,
		challenge,
		transport: 'websocket',
		versions: [...PROTOCOL_VERSIONS],
	})
	const hello = await hop.read(parseNodeMessage, LIMITS.helloMs)
	if (hello === undefined) return
	if (hello.op !== 'hello') return hop.refuse(CLOSE.badRequest, 'the first message must be hello')
	const sinceMs = context.nowMs()
	const record = await context.control.findNode(hello.node_id)
	const origin = record === undefined ? undefined : provenOrigin(context, { hello, record, challenge, host: peer.host })
	if (record === undefined || origin === undefined) return refuseStranger(context, hop, peer)
	if (!PROTOCOL_VERSIONS.includes(hello.version)) {
		context.presence.noteTooOld(record.id, hello)
		return hop.refuse(CLOSE.version, `this relay speaks version ${PROTOCOL_VERSIONS.join(', ')}, not ${hello.version}`)
	}
	await context.control.markNodeConnected(record.id, {
		hostname: hello.hostname,
		os: hello.os,
		agentVersion: hello.agent_version,
	})
	if (context.ledger.isRevokedSince(sinceMs, undefined, record.id)) return refuseStranger(context, hop, peer)
	return await welcome(context, hop, { record, hello, origin, peer })
}

/** One answer for an unknown node, a removed one and a wrong proof. */
async function refuseStranger(context: EdgeContext, hop: Hop, peer: Peer): Promise<void> {
	const counted = await context.control.admitHello(peer.address)
	if (!counted.ok) return hop.refuseAs(counted)
	return hop.refuse(
		CLOSE.notFound,
		'this relay does not know the machine, or its proof is not for this address; if it was removed, enrol it again with: sally agent join',
	)
}

interface Proof {
	readonly hello: NodeHello
	readonly record: NodeRecord
	readonly challenge: Uint8Array
	readonly host: string | undefined
}

/** The origin that the agent has signed as the one it dialled, if the signature is good for one of this relay's. */
function provenOrigin(context: EdgeContext, proof: Proof): string | undefined {
	const key = createPublicKey({
		key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(proof.record.identityKey).toString('base64url') },
		format: 'jwk',
	})
	return context.origins.ownFor(proof.host).find((origin) =>
		verify(
			null,
			signingInput({
				purpose: 'node_auth',
				challenge: proof.challenge,
				origin,
				relayId: context.control.relayId,
				nodeId: proof.record.id,
			}),
			key,
			proof.hello.signature,
		),
	)
}

interface Arrival {
	readonly record: NodeRecord
	readonly hello: NodeHello
	readonly origin: string
	readonly peer: Peer
}

async function welcome(context: EdgeContext, hop: Hop, arrival: Arrival): Promise<void> {
	const { record, hello, origin, peer } = arrival
	const socket = hop.handOver()
	// Gone while its arrival was written down: that is taken back, unless another connection of it is here.
	if (socket === undefined) return noteGone(context, record)
	hop.send({
		op: 'hello_ok',
		version: PROTOCOL_VERSION,
		name: record.name,
		...(record.owner === undefined ? {} : { owner: { id: record.owner.id, name: record.owner.username } }),
		origins: [...new Set([context.origins.publicOrigin, origin])],
		address: peer.address.slice(0, 64),
	})
	const session = new NodeSession(context, { socket, record, origin, address: peer.address })
	const replaced = context.presence.connect(session, {
		hostname: hello.hostname,
		os: hello.os,
		agent_version: hello.agent_version,
	})
	replaced?.close(CLOSE.replaced, `another agent with the same identity connected from ${peer.address}`)
	context.log.info('node connected', { nodeId: record.id })
	session.start()
}

async function noteGone(context: EdgeContext, record: NodeRecord): Promise<void> {
	if (context.presence.connection(record.id) === undefined) await context.control.markNodeDisconnected(record.id, false)
}
