import type { NodeConnection } from '@sallyport/client'
import type { NodeId, NodeInfo } from '@sallyport/protocol'
import { linkIdSchema } from '@sallyport/protocol'
import { parse } from 'valibot'
import type { Scene } from './scripted-client.ts'
import { draftDevices, draftTerminals, fail } from './scripted-nodes.ts'
import { createScriptedShell, SESSION_REPLAY, scriptedLogin } from './scripted-shell.ts'

export interface OpenDeps {
	readonly scene: Scene
	readonly findNode: (id: NodeId) => NodeInfo | undefined
	readonly isPaired: (id: NodeId) => boolean
	readonly onCut: () => void
	readonly nowMs: number
}

/** Links of the preview: refused for the reasons of the real ones, and answered by invented terminals and devices. */
export function createOpen({ scene, findNode, isPaired, onCut, nowMs }: OpenDeps): (id: NodeId) => Promise<NodeConnection> {
	let terminals = draftTerminals(nowMs)
	let devices = draftDevices(nowMs)
	return async (id) => {
		const node = findNode(id)
		if (node === undefined) return fail('not_found', 'there is no such machine, or it is not shared with you')
		if (!node.connected) return fail('node_offline', 'the machine is not connected to the relay')
		if (!isPaired(id)) return fail('not_paired', 'pair this browser with it first')
		const session = devices[0]
		if (session === undefined) return fail('session_gone', 'this browser was revoked there')
		let opened = 0
		const connection: NodeConnection = {
			nodeId: id,
			session,
			link: {
				id: parse(linkIdSchema, 'link_0001'),
				stats: { rttMs: 12, bytesSent: 0, bytesReceived: 0, streams: 0 },
				isOpen: true,
				ended: new Promise(() => {}),
				close() {},
				ready: {
					op: 'link_ready',
					link_id: parse(linkIdSchema, 'link_0001'),
					limits: { streams: 1024, link_window: 1, stream_window: 1 },
					session,
					node: { node_id: id, name: node.name, hostname: node.name, os: '', agent_version: '0.1.0' },
					endpoints: [],
				},
				openStream: () => {
					throw new Error('the preview has no streams')
				},
				request: () => fail('unsupported', 'the preview has no requests'),
				onNotice: () => () => {},
			},
			openTerminal: async () =>
				createScriptedShell({
					host: node.name,
					user: 'ada',
					terminalId: `terminal_${id.slice(0, 4)}_${++opened}`,
					replay: node.name === 'build-box' ? SESSION_REPLAY : '',
					onCut,
				}),
			attachTerminal: async (terminalId) =>
				createScriptedShell({ host: node.name, user: 'ada', terminalId, replay: SESSION_REPLAY, onCut }),
			openSsh: async (_size, login) => {
				const user = await scriptedLogin(node.name, login, node.name === 'edge-fra-1')
				return createScriptedShell({ host: node.name, user, terminalId: '', replay: 'Linux 6.1.0 Debian\r\n', onCut })
			},
			openExec: () => fail('unsupported', 'not in the preview'),
			openTcp: () => fail('unsupported', 'not in the preview'),
			terminals: async () => terminals,
			endTerminal: async (terminalId) => {
				terminals = terminals.filter((one) => one.terminal_id !== terminalId)
			},
			renameTerminal: async () => {},
			devices: async () => devices,
			revokeDevice: async (sessionId) => {
				devices = devices.filter((one) => one.session_id !== sessionId)
			},
			approvePairing: async (_requestId, digits) => (digits === '482177' ? '7305' : fail('wrong_code', 'wrong code')),
			denyPairing: async () => {},
			onNotice(listener) {
				if (scene === 'knock' && node.name === 'build-box') {
					setTimeout(() =>
						listener({
							op: 'pairing_request',
							request_id: 'request_1',
							device_name: 'Firefox on Windows',
							device_kind: 'browser',
							user: 'ada',
							address: '198.51.100.23',
							fingerprint: 'q7ka-2mnf',
							expires: Date.now() + 284_000,
						}),
					)
				}
				return () => {}
			},
		}
		return connection
	}
}
