/** Many agents in one process, as light as can be: each enrols, proves its key, sends one heartbeat and stays. */
import { makeIdentity, nodeIdOf, runCryptoSync } from '@sallyport/carrier'
import { createNodeCrypto } from '@sallyport/carrier/node'
import {
	bytesToBase64Url,
	encodeMessage,
	type NodeMessage,
	PROTOCOL_VERSION,
	parseNodeBoundMessage,
	parseToken,
	signingInput,
} from '@sallyport/protocol'
import { CONTROL_SOCKET_BYTES, dialWebSocket } from '@sallyport/transport/node'

export interface LightNodesTask {
	readonly origin: string
	readonly token: string
	/** How many are connected at each stop. */
	readonly stops: readonly number[]
}

/** Enrolments and handshakes at once. */
const AT_ONCE = 32
const crypto = createNodeCrypto()

interface LightNode {
	readonly id: ReturnType<typeof newNode>['id']
	readonly publicKey: Uint8Array
	sign(message: Uint8Array): Uint8Array
}

function newNode() {
	const { identityKey } = runCryptoSync(crypto, makeIdentity('node', Date.now()))
	return {
		id: runCryptoSync(crypto, nodeIdOf(identityKey)),
		publicKey: identityKey.publicKey,
		sign(message: Uint8Array): Uint8Array {
			const result = crypto.perform({ kind: 'sign', key: identityKey, message })
			if (result.kind !== 'bytes') throw new Error('the key cannot sign')
			return result.bytes
		},
	}
}

async function enrol(task: LightNodesTask, node: LightNode, name: string): Promise<void> {
	const token = parseToken(task.token)
	if (!token.ok) throw new Error(token.error.detail)
	const timestampMs = Date.now()
	const signature = node.sign(
		signingInput({ purpose: 'enrol', origin: task.origin, tokenId: token.value.id, identityKey: node.publicKey, timestampMs }),
	)
	const response = await fetch(`${task.origin}/api/nodes/enrol`, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({
			token: task.token,
			name,
			identity_key: bytesToBase64Url(node.publicKey),
			signature: bytesToBase64Url(signature),
			timestamp: timestampMs,
			hostname: name,
			os: 'linux',
			agent_version: '0.1.0',
		}),
	})
	const text = await response.text()
	if (!response.ok) throw new Error(`enrolment was refused: ${text}`)
}

/** Resolves once the relay has said hello_ok. */
async function stay(task: LightNodesTask, node: LightNode, name: string): Promise<void> {
	const socket = await dialWebSocket(`${task.origin.replace('http', 'ws')}/api/nodes/ws`, {
		maxMessageBytes: CONTROL_SOCKET_BYTES,
	})
	const send = (message: NodeMessage): void => socket.sendText(encodeMessage(message))
	await new Promise<void>((resolve, reject) =>
		socket.setHandlers({
			onText: (text) => {
				const message = parseNodeBoundMessage(text)
				if (!message.ok) return reject(new Error(message.error.detail))
				if (message.value.op === 'refused') return reject(new Error(message.value.reason))
				if (message.value.op === 'hello_ok') {
					send({ op: 'heartbeat', stats: STATS })
					return resolve()
				}
				if (message.value.op !== 'auth_required' || message.value.relay_id === undefined) return undefined
				const { challenge, relay_id: relayId } = message.value
				const signature = node.sign(
					signingInput({ purpose: 'node_auth', challenge, origin: task.origin, relayId, nodeId: node.id }),
				)
				const facts = { hostname: name, os: 'linux', agent_version: '0.1.0' }
				send({ op: 'hello', version: PROTOCOL_VERSION, node_id: node.id, signature, ...facts })
				return undefined
			},
			onBinary: () => undefined,
			onClose: (close) => reject(new Error(`closed with ${close.code}`)),
		}),
	)
}

const STATS = {
	cpus: 2,
	load1: 0.5,
	load5: 0.5,
	load15: 0.5,
	memory_total: 8e9,
	memory_used: 4e9,
	disk_total: 1e12,
	disk_used: 5e11,
	uptime_s: 86_400,
	processes: 200,
}

async function add(task: LightNodesTask, from: number, to: number): Promise<void> {
	let next = from
	const worker = async (): Promise<void> => {
		while (next < to) {
			const name = `light-${next++}`
			const node = newNode()
			await enrol(task, node, name)
			await stay(task, node, name)
		}
	}
	await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** Each line of input lets it go on to the next stop; the first line is the task. */
const lines = (await import('node:readline')).createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const task: LightNodesTask = JSON.parse(String((await lines.next()).value))
let connected = 0
for (const stop of task.stops) {
	await add(task, connected, stop)
	connected = stop
	process.stdout.write(`connected ${stop}\n`)
	await lines.next()
}
process.exit(0)
