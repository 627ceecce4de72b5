import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { EnrolAnswer, EnrolRequest } from '@sallyport/protocol'
import {
	bytesToBase64Url,
	nameField,
	nodeIdSchema,
	parseJson,
	parseToken,
	parseWith,
	relayIdSchema,
	signingInput,
	textField,
	userIdSchema,
} from '@sallyport/protocol'
import * as v from 'valibot'
import { AgentError, errorText } from '../errors.ts'
import type { NodeIdentity } from '../state/node-identity.ts'

export interface EnrolTask {
	readonly origin: string
	readonly token: string
	readonly identity: NodeIdentity
	readonly name: string
	readonly host: { readonly hostname: string; readonly os: string; readonly agentVersion: string }
	/** What the join bundle says; the relay's answer must agree. */
	readonly relayId?: string
	readonly ca?: string
	readonly nowMs: number
}

const answerSchema = v.object({
	node_id: nodeIdSchema,
	name: nameField,
	relay_id: relayIdSchema,
	origin: textField(512),
	owner: v.exactOptional(v.object({ id: userIdSchema, username: nameField })),
})
const errorSchema = v.object({ error: v.object({ code: textField(64), message: textField(1024) }) })
const ANSWER_MAX_BYTES = 64 * 1024
const TIMEOUT_MS = 15_000

/**
 * Registers this node's key with a relay.
 *
 * @throws {AgentError} `relay_unreachable`, `enrol_refused`, `relay_changed`
 */
export async function enrol(task: EnrolTask): Promise<EnrolAnswer> {
	const token = parseToken(task.token)
	if (!token.ok || (token.value.kind !== 'enrol' && token.value.kind !== 'pat')) {
		throw new AgentError(
			'enrol_refused',
			'this is not an enrol token or a personal access token: copy all of it, from sly_ to the end',
		)
	}
	const signature = task.identity.sign(
		signingInput({
			purpose: 'enrol',
			origin: task.origin,
			tokenId: token.value.id,
			identityKey: task.identity.publicKey,
			timestampMs: task.nowMs,
		}),
	)
	const body: EnrolRequest = {
		token: task.token,
		name: task.name,
		identity_key: bytesToBase64Url(task.identity.publicKey),
		signature: bytesToBase64Url(signature),
		timestamp: task.nowMs,
		hostname: task.host.hostname,
		os: task.host.os,
		agent_version: task.host.agentVersion,
	}
	const { status, text } = await post(`${task.origin}/api/nodes/enrol`, JSON.stringify(body), task)
	const json = parseJson(text, ANSWER_MAX_BYTES)
	if (status !== 200 && status !== 201) {
		const failure = json.ok ? parseWith(errorSchema, json.value) : json
		const said = failure.ok ? failure.value.error.message : `status ${status}`
		throw new AgentError('enrol_refused', `the relay ${task.origin} refused to enrol this machine: ${said}`, {
			retry: status >= 500 || status === 429,
		})
	}
	const answer = json.ok ? parseWith(answerSchema, json.value) : json
	if (!answer.ok)
		throw new AgentError(
			'enrol_refused',
			`${task.origin} did not answer as a relay does (${answer.error.detail}); check the address`,
		)
	if (answer.value.node_id !== task.identity.nodeId) {
		throw new AgentError('enrol_refused', `the relay ${task.origin} named another machine than this one; do not use it`)
	}
	if (task.relayId !== undefined && answer.value.relay_id !== task.relayId) {
		throw new AgentError(
			'relay_changed',
			`${task.origin} is not the relay that this join was made at: something else answers there now`,
		)
	}
	return answer.value
}

function post(url: string, body: string, task: EnrolTask): Promise<{ readonly status: number; readonly text: string }> {
	const unreachable = (cause: unknown): AgentError =>
		new AgentError('relay_unreachable', `the relay ${task.origin} cannot be reached: ${errorText(cause)}`, { retry: true, cause })
	return new Promise((resolve, reject) => {
		const send = url.startsWith('https:') ? httpsRequest : httpRequest
		const request = send(
			url,
			{
				method: 'POST',
				headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), accept: 'application/json' },
				signal: AbortSignal.timeout(TIMEOUT_MS),
				...(task.ca === undefined ? {} : { ca: task.ca }),
			},
			(response) => {
				const chunks: Buffer[] = []
				let byteCount = 0
				response.on('data', (chunk: Buffer) => {
					byteCount += chunk.length
					if (byteCount > ANSWER_MAX_BYTES) response.destroy(new Error('the answer is too long'))
					else chunks.push(chunk)
				})
				response.on('error', (error) => reject(unreachable(error)))
				// A redirect is not followed: it comes back as the status it is.
				response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
			},
		)
		request.on('error', (error) => reject(unreachable(error)))
		request.end(body)
	})
}
