import type { Clock } from '@sallyport/carrier'
import { formatJoinBundle, type NodeInfo } from '@sallyport/protocol'
import { Backoff, pause } from '../backoff.ts'
import type { Device, DeviceStore, StoredJoin } from '../device.ts'
import { ClientError } from '../errors.ts'
import type { Connector } from '../link/connector.ts'
import type { JoinOffer, NodeWatch, RelayApi } from '../sally-client.ts'

export interface JoinsDeps {
	readonly api: Pick<RelayApi, 'info' | 'createEnrolToken' | 'revokeEnrolToken'>
	readonly watchNodes: (watch: NodeWatch) => () => void
	readonly connector: Connector
	readonly store: DeviceStore
	readonly device: Device
	readonly clock: Clock
	/** Uniform in [0, 1). */
	readonly random: () => number
	readonly randomBytes: (length: number) => Uint8Array
}

const SECRET_BYTES = 32

/** Join commands that this device gave out: it waits for the machine, then pairs with it by itself. */
export class Joins {
	readonly #deps: JoinsDeps
	readonly #waiting = new Map<string, AbortController>()

	constructor(deps: JoinsDeps) {
		this.#deps = deps
	}

	async create(options: { readonly name?: string; readonly user: string }): Promise<JoinOffer> {
		const { api, device, store, randomBytes } = this.#deps
		const [info, enrol] = await Promise.all([api.info(), api.createEnrolToken(options.name)])
		const origin = info.url ?? info.origin
		const join: StoredJoin = {
			tokenId: enrol.token_id,
			secret: randomBytes(SECRET_BYTES),
			origin,
			expiresAtMs: enrol.expires_at,
		}
		// Kept before it is shown: a page that is reloaded right after still pairs.
		await store.putJoin(join)
		const bundle = formatJoinBundle({
			enrolToken: enrol.token,
			origin,
			relay_id: info.relay_id,
			user: options.user,
			secret: join.secret,
			device_key: device.identityKey,
			device_name: device.name,
			expires: enrol.expires_at,
		})
		const joined = this.#wait(join)
		joined.catch(() => undefined)
		return {
			command: `sally agent join ${bundle}`,
			tokenId: join.tokenId,
			expiresAtMs: join.expiresAtMs,
			joined,
			cancel: async () => {
				this.#waiting.get(join.tokenId)?.abort()
				await store.deleteJoin(join.tokenId)
				await api.revokeEnrolToken(join.tokenId)
			},
		}
	}

	/** Goes on waiting for machines whose command was given out before a reload or restart. */
	async resume(): Promise<void> {
		for (const join of await this.#deps.store.joins()) {
			if (join.expiresAtMs <= this.#deps.clock.nowMs()) await this.#deps.store.deleteJoin(join.tokenId)
			else if (!this.#waiting.has(join.tokenId)) this.#wait(join).catch(() => undefined)
		}
	}

	/** Pairs with those of these machines that came by a command of this device while nobody waited; gives them back. */
	async pairArrived(nodes: readonly NodeInfo[]): Promise<readonly NodeInfo[]> {
		const { store, clock } = this.#deps
		const paired: NodeInfo[] = []
		for (const join of await store.joins()) {
			const node = nodes.find((candidate) => candidate.enrol_token_id === join.tokenId && candidate.connected)
			if (node === undefined || join.expiresAtMs <= clock.nowMs() || this.#waiting.has(join.tokenId)) continue
			try {
				await this.#pairOnce(join, node)
			} catch {
				// The next command tries again, until the join's end.
				continue
			}
			await store.deleteJoin(join.tokenId)
			paired.push(node)
		}
		return paired
	}

	close(): void {
		for (const controller of this.#waiting.values()) controller.abort()
	}

	async #wait(join: StoredJoin): Promise<NodeInfo> {
		const controller = new AbortController()
		this.#waiting.set(join.tokenId, controller)
		const { clock, store } = this.#deps
		const cancelTimer = clock.setTimer(Math.max(0, join.expiresAtMs - clock.nowMs()), () => controller.abort())
		try {
			const node = await this.#nodeOf(join, controller.signal)
			await this.#pair(join, node, controller.signal)
			await store.deleteJoin(join.tokenId)
			return node
		} catch (error) {
			if (join.expiresAtMs <= clock.nowMs()) await store.deleteJoin(join.tokenId)
			throw error
		} finally {
			cancelTimer()
			this.#waiting.delete(join.tokenId)
		}
	}

	/** The machine that enrolled by this join's token, as soon as it is connected. */
	#nodeOf(join: StoredJoin, signal: AbortSignal): Promise<NodeInfo> {
		return new Promise((resolve, reject) => {
			let stop = (): void => {}
			let found: NodeInfo | undefined
			const finish = (): void => {
				stop()
				signal.removeEventListener('abort', finish)
				if (found !== undefined) resolve(found)
				else reject(this.#gone(join))
			}
			signal.addEventListener('abort', finish, { once: true })
			stop = this.#deps.watchNodes((event) => {
				if (found !== undefined || event.type !== 'node') return
				if (event.node.enrol_token_id !== join.tokenId || !event.node.connected) return
				found = event.node
				// Never from inside the first call, when there is nothing to stop yet.
				queueMicrotask(finish)
			})
			if (signal.aborted) finish()
		})
	}

	async #pair(join: StoredJoin, node: NodeInfo, signal: AbortSignal): Promise<void> {
		const { clock, random } = this.#deps
		const backoff = new Backoff({ firstMs: 250, maxMs: 15_000, random })
		for (;;) {
			try {
				await this.#pairOnce(join, node, signal)
				return
			} catch (caught) {
				// Whatever it was, it may pass: the machine goes to sleep, the relay restarts. The bundle's end is the end.
				if (signal.aborted) throw this.#gone(join)
				if (await this.#isPairedElsewhere(join, node)) return
				const error = ClientError.from(caught)
				await pause(clock, Math.max(backoff.next(), error.retryAfterMs ?? 0), signal)
				if (signal.aborted) throw this.#gone(join)
			}
		}
	}

	async #pairOnce(join: StoredJoin, node: NodeInfo, signal?: AbortSignal): Promise<void> {
		const { device, connector } = this.#deps
		const secret = { secretId: join.tokenId, secret: join.secret, origin: join.origin }
		const intent = { kind: 'pair', secret, deviceName: device.name, deviceKind: device.kind } as const
		await connector.pair(node.id, intent, 'join', signal)
	}

	/** Another process of this device was faster: the secret is spent, and the pairing there. */
	async #isPairedElsewhere(join: StoredJoin, node: NodeInfo): Promise<boolean> {
		const { store } = this.#deps
		const isWaitedFor = (await store.joins()).some((other) => other.tokenId === join.tokenId)
		return !isWaitedFor && (await store.pairing(node.id)) !== undefined
	}

	#gone(join: StoredJoin): ClientError {
		return join.expiresAtMs <= this.#deps.clock.nowMs()
			? new ClientError('expired', 'the join command has expired: make a new one')
			: new ClientError('cancelled', 'the join command was withdrawn')
	}
}
