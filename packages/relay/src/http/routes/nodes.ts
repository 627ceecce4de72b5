import type { EnrolAnswer, NodesAnswer } from '@sallyport/protocol'
import { bytesField, bytesToBase64Url, nodeIdSchema, parseToken, timeField } from '@sallyport/protocol'
import type { Hono } from 'hono'
import * as v from 'valibot'
import { accessTo, NODE_NOT_FOUND } from '../../access/control-plane-local.ts'
import { nodeIdOf, proofFault } from '../../identity/enrol-proof.ts'
import { hashToken } from '../../identity/token-text.ts'
import { readBody } from '../body.ts'
import { ApiFailure, refusalToFailure } from '../failures.ts'
import { displayName, reportedText } from '../fields.ts'
import { bearer } from '../guards.ts'
import type { ApiContext, ApiDeps, ApiEnv } from '../ports.ts'

const enrolBody = v.object({
	token: v.pipe(v.string(), v.maxLength(128)),
	name: displayName(128),
	identity_key: bytesField({ length: 32 }),
	signature: bytesField({ length: 64 }),
	timestamp: timeField,
	hostname: reportedText,
	os: reportedText,
	agent_version: reportedText,
})
const nodeBody = v.object({ name: displayName(128) })
const PEOPLE = { kinds: ['web', 'cli'] } as const

/** Machines: coming, being listed, being renamed, going. */
export function addNodeRoutes(app: Hono<ApiEnv>, deps: ApiDeps): void {
	const { store, events, edgeView } = deps

	app.get('/api/nodes', bearer(deps, { scope: 'nodes:read' }), async (context) => {
		const principal = context.get('principal')
		const streamOffset = edgeView.streamOffset()
		const nodes = (await store.nodes.listOf(principal.user.id)).map((node) => edgeView.nodeInfo(node, 'admin'))
		return context.json({ nodes, stream_offset: streamOffset } satisfies NodesAnswer)
	})

	app.patch('/api/nodes/:id', bearer(deps, PEOPLE), async (context) => {
		const { name } = await readBody(context, nodeBody)
		const principal = context.get('principal')
		const id = nodeIdParam(context)
		const outcome = await store.nodes.rename(principal.user.id, id, name)
		const node = outcome === 'renamed' ? await store.nodes.find(id) : undefined
		const access = node === undefined ? undefined : accessTo(node, principal)
		if (outcome === 'name_taken')
			throw new ApiFailure('name_taken', `you have another machine named ${JSON.stringify(name)}: choose another name`)
		if (node === undefined || access === undefined) throw refusalToFailure(NODE_NOT_FOUND)
		await events.wake()
		return context.json(edgeView.nodeInfo(node, access))
	})

	app.delete('/api/nodes/:id', bearer(deps, PEOPLE), async (context) => {
		const removed = await store.nodes.remove(context.get('principal').user.id, nodeIdParam(context))
		if (!removed) throw refusalToFailure(NODE_NOT_FOUND)
		await events.wake()
		return context.body(null, 204)
	})

	app.post('/api/nodes/enrol', async (context) => {
		const answer = await enrol(deps, context)
		await events.wake()
		return context.json(answer)
	})

	app.get('/v1/streams/nodes', bearer(deps, { scope: 'nodes:read' }), (context) =>
		edgeView.streamNodes(context.get('principal'), context.req.raw),
	)
}

async function enrol(deps: ApiDeps, context: ApiContext): Promise<EnrolAnswer> {
	const body = await readBody(context, enrolBody)
	const admitted = await deps.limits.hello(deps.clientAddress(context))
	if (!admitted.ok) throw refusalToFailure(admitted)
	const token = parseToken(body.token)
	if (!token.ok || (token.value.kind !== 'enrol' && token.value.kind !== 'pat')) throw tokenInvalid()
	const { identity_key: identityKey, signature, timestamp: timestampMs } = body
	const proof = { tokenId: token.value.id, identityKey, signature, timestampMs }
	const fault = proofFault(proof, [deps.origin, ...deps.dialOrigins], deps.nowMs())
	if (fault === 'timestamp')
		throw new ApiFailure(
			'bad_request',
			"the machine's clock and the relay's differ by more than 10 minutes: set the wrong one right (timedatectl shows it) and join again",
		)
	if (fault === 'signature')
		throw new ApiFailure(
			'bad_request',
			`the machine's signature does not hold for ${deps.origin}: give the agent the relay's address exactly as people use it`,
		)
	const result = await deps.store.nodes.enrol({
		tokenId: token.value.id,
		tokenHash: hashToken(body.token),
		nodeId: nodeIdOf(identityKey),
		identityKey: bytesToBase64Url(identityKey),
		name: body.name,
		hostname: body.hostname,
		os: body.os,
		agentVersion: body.agent_version,
	})
	if (result.kind === 'token_invalid') throw tokenInvalid()
	if (result.kind === 'foreign')
		throw new ApiFailure(
			'conflict',
			'this machine belongs to another user of this relay: they must remove it before it can join again',
		)
	await admitted.value.giveBack()
	const { id, name, owner } = result.node
	return { node_id: id, name, relay_id: deps.relayId, origin: deps.publicUrl, ...(owner === undefined ? {} : { owner }) }
}

function tokenInvalid(): ApiFailure {
	return new ApiFailure(
		'token_invalid',
		'this token brings in no machine: it is mistyped, used up, expired, revoked, or lacks the scope nodes:enrol. Make a new one in the page under "Add machine"',
	)
}

function nodeIdParam(context: ApiContext) {
	const parsed = v.safeParse(nodeIdSchema, context.req.param('id'))
	if (!parsed.success) throw refusalToFailure(NODE_NOT_FOUND)
	return parsed.output
}
