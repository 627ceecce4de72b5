import type { Clock } from '@sallyport/carrier'
import { fingerprintOf, type InviteBundle, type NodeInfo } from '@sallyport/protocol'
import type { Device, DeviceStore } from './device.ts'
import { ClientError } from './errors.ts'
import type { Credential } from './http/credential.ts'
import type { Http } from './http/http.ts'
import { createRelayApi } from './http/relay-api.ts'
import { Connector, pairingOf } from './link/connector.ts'
import type { LinkOpener } from './link/link-opener.ts'
import { createRelayRoute } from './link/relay-route.ts'
import type { Dial } from './link/route.ts'
import { NodeFeed } from './nodes/node-feed.ts'
import { requestApproval } from './pairing/approval.ts'
import { Joins } from './pairing/joins.ts'
import type { SallyClient } from './sally-client.ts'

/** What a platform gives the client. */
export interface ClientDeps {
	readonly http: Http
	readonly credential: Credential
	/** Ends whatever stands behind the credential. */
	readonly signOut: () => Promise<void>
	readonly dial: Dial
	readonly openLink: LinkOpener
	readonly store: DeviceStore
	readonly device: Device
	readonly relayId?: string
	readonly clock: Clock
	readonly randomBytes: (length: number) => Uint8Array
	readonly onWake?: (listener: () => void) => () => void
}

/** What programs that come and go need beside what a page does. */
export interface CommandClient extends SallyClient {
	/** Pairs with those of these machines that came by a join command of this device while nobody waited; gives them back. */
	pairArrived(nodes: readonly NodeInfo[]): Promise<readonly NodeInfo[]>
}

export function createClient(deps: ClientDeps): CommandClient {
	const { http, credential, store, device, clock, randomBytes } = deps
	const random = (): number => (randomBytes(1)[0] ?? 0) / 256
	const api = createRelayApi(http, credential, deps.signOut)
	const connector = new Connector({
		route: createRelayRoute({
			origin: http.origin,
			dial: deps.dial,
			credential,
			clock,
			...(deps.relayId === undefined ? {} : { relayId: deps.relayId }),
		}),
		openLink: deps.openLink,
		store,
		device,
		clock,
	})
	const feed = new NodeFeed({
		http,
		api,
		credential,
		clock,
		random,
		...(deps.onWake === undefined ? {} : { onWake: deps.onWake }),
	})
	const watchNodes: SallyClient['watchNodes'] = (watch) => feed.watch(watch)
	const joins = new Joins({ api, watchNodes, connector, store, device, clock, random, randomBytes })
	return {
		origin: http.origin,
		api,
		deviceId: device.id,
		fingerprint: fingerprintOf(device.id),
		watchNodes,
		pairings: async () => (await store.pairings()).map(pairingOf),
		async forgetPairing(nodeId) {
			await store.deletePairing(nodeId)
			await connector.forget(nodeId)
		},
		connect: (nodeId) => connector.connect(nodeId),
		pairByInvite: (invite) => pairByInvite(connector, device, clock, invite),
		createJoin: (options) => joins.create(options),
		resumeJoins: () => joins.resume(),
		pairArrived: (nodes) => joins.pairArrived(nodes),
		requestApproval: (nodeId) => requestApproval(connector, device, nodeId),
		close() {
			joins.close()
			feed.close()
			connector.close()
		},
	}
}

function pairByInvite(connector: Connector, device: Device, clock: Clock, invite: InviteBundle) {
	if (invite.expires <= clock.nowMs()) {
		return Promise.reject(new ClientError('expired', 'the invite has expired: make a new one at the machine'))
	}
	const secret = { secretId: invite.invite_id, secret: invite.secret, origin: invite.origin }
	return connector.pair(invite.node_id, { kind: 'pair', secret, deviceName: device.name, deviceKind: device.kind }, 'invite')
}
