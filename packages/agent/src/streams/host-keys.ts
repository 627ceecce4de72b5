import { createHash } from 'node:crypto'
import { textField, timeField } from '@sallyport/protocol'
import * as v from 'valibot'
import type { Document } from '../state/document.ts'
import type { Target } from './target.ts'

const pinSchema = v.object({
	host: textField(255),
	port: v.number(),
	key_type: textField(64),
	fingerprint: textField(128),
	first_seen_at: timeField,
})
export const hostKeysSchema = v.object({ version: v.literal(1), pins: v.array(pinSchema) })
export type StoredHostKeys = v.InferOutput<typeof hostKeysSchema>
export type HostKeyPin = v.InferOutput<typeof pinSchema>

/** A server's key as it was shown. */
export interface SeenHostKey {
	readonly keyType: string
	/** `SHA256:…` as OpenSSH shows it. */
	readonly fingerprint: string
}

export type HostKeyVerdict = { readonly state: 'new' | 'known' } | { readonly state: 'changed'; readonly pinned: HostKeyPin }

/** Keys of SSH servers, pinned at first sight, by host and port as they were asked for. */
export class HostKeys {
	readonly #document: Document<StoredHostKeys>
	readonly #nowMs: () => number

	constructor(document: Document<StoredHostKeys>, nowMs: () => number) {
		this.#document = document
		this.#nowMs = nowMs
	}

	get pins(): readonly HostKeyPin[] {
		return this.#document.value?.pins ?? []
	}

	find(target: Target): HostKeyPin | undefined {
		return this.pins.find((pin) => pin.host === target.host.toLowerCase() && pin.port === target.port)
	}

	/** Compares; a server that is new is pinned before the answer. */
	async check(target: Target, key: SeenHostKey): Promise<HostKeyVerdict> {
		const pinned = this.find(target)
		if (pinned !== undefined) {
			return pinned.fingerprint === key.fingerprint && pinned.key_type === key.keyType
				? { state: 'known' }
				: { state: 'changed', pinned }
		}
		const pin = {
			host: target.host.toLowerCase(),
			port: target.port,
			key_type: key.keyType,
			fingerprint: key.fingerprint,
			first_seen_at: this.#nowMs(),
		}
		await this.#document.save({ version: 1, pins: [...this.pins, pin] })
		return { state: 'new' }
	}

	/** False when there was no pin. */
	async forget(target: Target): Promise<boolean> {
		const pinned = this.find(target)
		if (pinned === undefined) return false
		await this.#document.save({ version: 1, pins: this.pins.filter((pin) => pin !== pinned) })
		return true
	}
}

/** Reads the wire form of a public key (RFC 4253, 6.6): its type is the first field. */
export function describeHostKey(blob: Uint8Array): SeenHostKey {
	const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength)
	const length = bytes.length >= 4 ? bytes.readUInt32BE(0) : 0
	const keyType = length > 0 && length <= 64 && length <= bytes.length - 4 ? bytes.toString('latin1', 4, 4 + length) : 'unknown'
	return { keyType, fingerprint: `SHA256:${createHash('sha256').update(bytes).digest('base64').replace(/=+$/, '')}` }
}
