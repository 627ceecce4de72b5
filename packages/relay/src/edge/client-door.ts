import { randomBytes } from 'node:crypto'
import type { ClientHello, NodeId } from '@sallyport/protocol'
import { CLOSE, LIMITS, PROTOCOL_VERSION, PROTOCOL_VERSIONS, parseClientMessage } from '@sallyport/protocol'
import type { Decision, NodeRecord, Principal } from '../control-plane.ts'
import type { EdgeContext, Peer } from './context.ts'
import type { DialOutcome } from './dial-tickets.ts'
import type { Hop } from './hop.ts'
import type { LedgerEntry } from './ledger.ts'
import { offlineText } from './node-info.ts'
import type { NodeConnection } from './presence.ts'

/** How long an admitted client may take to name its node. */
const OPEN_MS = 60_000

/** Serves one socket at `/api/web/ws`: hello, open, then the splice. Door one is asked at every open. */
export async function serveClient(context: EdgeContext, hop: Hop, peer: Peer): Promise<void> {
	hop.send({
		op: 'auth_required',
		relay_id: context.control.relayId,
		challenge: new Uint8Array(randomBytes(32)),
		transport: 'websocket',
		versions: [...PROTOCOL_VERSIONS],
	})
	const hello = await hop.read(parseClientMessage, LIMITS.helloMs)
	if (hello === undefined) return
	if (hello.op !== 'hello') return hop.refuse(CLOSE.badRequest, 'the first message must be hello')
	const sinceMs = context.nowMs()
	const principal = await admit(context, hop, hello, peer)
	if (principal === undefined) return
	const entry: LedgerEntry = { principal, isSocket: true, end: (close) => ending.end(close) }
	const ending = new Ending(hop)
	if (context.ledger.isRevokedSince(sinceMs, principal)) return hop.refuse(CLOSE.credentialExpired)
	if (!context.ledger.add(entry))
		return hop.refuse(CLOSE.rateLimited, 'this account holds too many connections at once; close some')
	ending.onOver = () => context.ledger.remove(entry)
	hop.send({ op: 'hello_ok', version: PROTOCOL_VERSION, user: { id: principal.user.id, name: principal.user.username } })
	const nodeId = await wantedNode(hop, hello)
	if (nodeId !== undefined) await openLink(context, { hop, peer, principal, nodeId, ending })
}

/** What ends a client's socket from outside, before and after it is spliced. */
class Ending {
	readonly abort = new AbortController()
	onOver: (() => void) | undefined
	#end: LedgerEntry['end']

	constructor(hop: Hop) {
		this.#end = (close) => hop.refuse(close)
		hop.onEnd = () => this.over()
	}

	end(close: Parameters<LedgerEntry['end']>[0]): void {
		this.#end(close)
	}

	handOver(end: LedgerEntry['end']): void {
		this.#end = end
	}

	over(): void {
		this.abort.abort()
		this.onOver?.()
		this.onOver = undefined
	}
}

async function admit(context: EdgeContext, hop: Hop, hello: ClientHello, peer: Peer): Promise<Principal | undefined> {
	const credentials = [hello.token, hello.page_ticket, hello.device_session, hello.resume].filter((item) => item !== undefined)
	if (!PROTOCOL_VERSIONS.includes(hello.version)) {
		hop.refuse(CLOSE.version, `this relay speaks version ${PROTOCOL_VERSIONS.join(', ')}, not ${hello.version}`)
		return undefined
	}
	if (credentials.length !== 1) {
		hop.refuse(CLOSE.badRequest, 'hello must carry exactly one credential')
		return undefined
	}
	const counted = await context.control.admitHello(peer.address)
	if (!counted.ok) {
		hop.refuseAs(counted)
		return undefined
	}
	const decision = await judge(context, hello)
	if (!decision.ok) {
		hop.refuseAs(decision)
		return undefined
	}
	await counted.value.giveBack()
	return hop.isEnded ? undefined : decision.value
}

function judge(context: EdgeContext, hello: ClientHello): Promise<Decision<Principal>> {
	if (hello.token !== undefined) return context.control.authenticate(hello.token)
	if (hello.page_ticket !== undefined) return context.control.redeemPageTicket(hello.page_ticket)
	return Promise.resolve({
		ok: false,
		close: 'forbidden',
		api: 'forbidden',
		reason: 'this relay does not admit by device session alone; sign in first',
	})
}

async function wantedNode(hop: Hop, hello: ClientHello): Promise<NodeId | undefined> {
	if (hello.open !== undefined) return hello.open.node_id
	const open = await hop.read(parseClientMessage, OPEN_MS)
	if (open === undefined) return undefined
	if (open.op === 'open') return open.node_id
	hop.refuse(CLOSE.badRequest, 'after hello_ok comes open')
	return undefined
}

interface OpenRequest {
	readonly hop: Hop
	readonly peer: Peer
	readonly principal: Principal
	readonly nodeId: NodeId
	readonly ending: Ending
}

async function openLink(context: EdgeContext, request: OpenRequest): Promise<void> {
	const { hop, principal, nodeId, ending } = request
	const sinceMs = context.nowMs()
	const decision = await context.control.authorizeOpen(principal, nodeId)
	if (!decision.ok) return hop.refuseAs(decision)
	const node = decision.value
	const connection = await context.presence.waitFor(nodeId, holdMs(context, node), ending.abort.signal)
	if (hop.isEnded) return undefined
	if (connection === undefined)
		return hop.refuse(CLOSE.nodeOffline, offlineText(node, context.presence.entry(nodeId), context.moment()))
	const outcome = await dial(context, request, connection)
	if (context.ledger.isRevokedSince(sinceMs, undefined, nodeId)) {
		if (outcome.kind === 'dialled') outcome.hop.refuse(CLOSE.notFound)
		return hop.refuse(CLOSE.notFound)
	}
	if (outcome.kind === 'dialled') return join(context, request, node, outcome.hop)
	return refuseUndialled(hop, node, outcome)
}

/** Just after its start a relay waits for nodes that have not had time to come back. */
function holdMs(context: EdgeContext, node: NodeRecord): number {
	const moment = context.moment()
	const isComing = !node.stoppedCleanly && node.connectedAtMs !== undefined && context.presence.entry(node.id) === undefined
	return isComing ? moment.holdUntilMs - moment.nowMs : 0
}

async function dial(context: EdgeContext, request: OpenRequest, connection: NodeConnection): Promise<DialOutcome> {
	const { principal, peer, ending } = request
	const ticket = context.tickets.issue(connection.nodeId)
	ending.abort.signal.addEventListener('abort', ticket.cancel, { once: true })
	connection.dial({
		linkTicket: ticket.token,
		user: { id: principal.user.id, name: principal.user.username },
		clientAddress: peer.address,
		expiresAtMs: context.nowMs() + LIMITS.linkTicketMs,
	})
	const outcome = await ticket.outcome
	ending.abort.signal.removeEventListener('abort', ticket.cancel)
	return outcome
}

function refuseUndialled(hop: Hop, node: NodeRecord, outcome: Exclude<DialOutcome, { kind: 'dialled' }>): void {
	switch (outcome.kind) {
		case 'failed':
			return hop.refuse(CLOSE.nodeOffline, `${node.name} could not dial back: ${outcome.reason}`)
		case 'timed_out':
			return hop.refuse(CLOSE.timedOut, `${node.name} did not dial back within ${LIMITS.linkTicketMs / 1000} s`)
		case 'cancelled':
			return hop.refuse(CLOSE.restarting)
	}
}

/** The agent is told first, so that it is ready for the client's first record. */
function join(context: EdgeContext, request: OpenRequest, node: NodeRecord, agentHop: Hop): void {
	const { hop, principal, peer, ending } = request
	const client = hop.handOver()
	if (client === undefined) return agentHop.refuse(CLOSE.normal, 'the client went away before the link was joined')
	const agent = agentHop.handOver()
	if (agent === undefined) {
		client.close(CLOSE.nodeOffline.code, `${node.name} went away before the link was joined`)
		return ending.over()
	}
	agentHop.send({ op: 'opened' })
	hop.send({ op: 'opened' })
	const joined = context.links.open({
		node,
		principal,
		clientAddress: peer.address,
		client,
		agent,
		onEnd: () => ending.over(),
	})
	ending.handOver((close) => joined.close(close))
}
