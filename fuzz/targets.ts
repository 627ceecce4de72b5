/**
 * Everything here that reads what a stranger wrote. A target takes any bytes, throws only for a bug, and gives back what
 * the parser answered, so that the fuzzer can judge that too.
 */

import { parseAgentConfig, parsePolicy } from '@sallyport/agent'
import { ServerSentEvents } from '@sallyport/client'
import {
	decodeFrames,
	parseCertificate,
	parseClientMessage,
	parseHandshakePayload1,
	parseHandshakePayload2,
	parseHandshakePayload3,
	parseInvite,
	parseJoinBundle,
	parseJson,
	parseLinkBoundMessage,
	parseLinkMessage,
	parseLinkSocketMessage,
	parseNodeBoundMessage,
	parseNodeMessage,
	parseServerMessage,
	parseToken,
	parseWith,
} from '@sallyport/protocol'
import { parseRelayConfig } from '@sallyport/relay'
import { pairingsSchema } from '../packages/agent/src/state/pairing-schema.ts'
import { hostKeysSchema } from '../packages/agent/src/streams/host-keys.ts'
import { importIdentity } from '../packages/carrier/src/node/identity-node.ts'
import { parseAnswer, parseGreeting, parseRequest } from '../packages/cli/src/background/local-protocol.ts'
import { CliError } from '../packages/cli/src/exit-codes.ts'
import { parseForward, parseTarget } from '../packages/cli/src/text/targets.ts'

export type Target = (bytes: Uint8Array) => unknown

const text =
	(read: (input: string) => unknown): Target =>
	(bytes) =>
		read(Buffer.from(bytes).toString('utf8'))

const document =
	(schema: Parameters<typeof parseWith>[0]): Target =>
	(bytes) => {
		const json = parseJson(bytes, 8 * 1024 * 1024)
		return json.ok ? parseWith(schema, json.value) : json
	}

/** A settings file: JSON of any shape. */
const settings = (read: (file: unknown) => unknown): Target =>
	text((input) => {
		let file: unknown
		try {
			file = JSON.parse(input)
		} catch {
			// Not JSON: then each line is an environment of one setting.
			file = Object.fromEntries(input.split('\n').map((line) => line.split('=', 2)))
		}
		return read(file)
	})

export const TARGETS: Readonly<Record<string, Target>> = {
	'hop-client': text(parseClientMessage),
	'hop-server': text(parseServerMessage),
	'hop-node': text(parseNodeMessage),
	'hop-node-bound': text(parseNodeBoundMessage),
	'hop-link-socket': text(parseLinkSocketMessage),
	'hop-link-bound': text(parseLinkBoundMessage),
	'link-message': parseLinkMessage,
	frames: decodeFrames,
	'handshake-1': parseHandshakePayload1,
	'handshake-2': parseHandshakePayload2,
	'handshake-3': parseHandshakePayload3,
	certificate: parseCertificate,
	token: text(parseToken),
	join: text(parseJoinBundle),
	invite: text(parseInvite),
	policy: text(parsePolicy),
	'agent-settings': settings((file) => parseAgentConfig({ file, env: { HOME: '/nowhere' } })),
	'relay-settings': settings((file) => parseRelayConfig({ file, env: { HOME: '/nowhere' } })),
	'state-pairings': document(pairingsSchema),
	'state-host-keys': document(hostKeysSchema),
	'state-identity': importIdentity,
	'server-sent-events': text((input) => {
		const events = new ServerSentEvents()
		return [...input].flatMap((character) => events.push(character))
	}),
	'background-greeting': parseGreeting,
	'background-request': (bytes) => {
		const json = parseJson(bytes, 1024 * 1024)
		return json.ok ? parseRequest(json.value) : json
	},
	'background-answer': parseAnswer,
	target: text((input) => orMessage(() => parseTarget(input))),
	forward: text((input) => orMessage(() => parseForward(input))),
}

/** A mistake on a command line is told by this error; any other is a bug. */
function orMessage(read: () => unknown): unknown {
	try {
		return read()
	} catch (error) {
		if (error instanceof CliError) return error.message
		throw error
	}
}
