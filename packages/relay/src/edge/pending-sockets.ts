import type { CloseCode } from '@sallyport/protocol'
import { addressKey } from '../access/address-key.ts'
import type { Hop } from './hop.ts'

/** Sockets that have not been let in yet, over all and of one address: each may cost 10 s of a buffer. */
const PENDING_SOCKETS = 4096
const PENDING_OF_ADDRESS = 256

/** Counts the sockets that still talk at the door. */
export class PendingSockets {
	readonly #buckets = new Map<Hop, string>()
	readonly #counts = new Map<string, number>()

	/** False when there are too many already. */
	add(hop: Hop, address: string): boolean {
		const bucket = addressKey(address)
		const count = this.#counts.get(bucket) ?? 0
		if (this.#buckets.size >= PENDING_SOCKETS || count >= PENDING_OF_ADDRESS) return false
		this.#buckets.set(hop, bucket)
		this.#counts.set(bucket, count + 1)
		return true
	}

	remove(hop: Hop): void {
		const bucket = this.#buckets.get(hop)
		if (bucket === undefined) return
		this.#buckets.delete(hop)
		const left = (this.#counts.get(bucket) ?? 1) - 1
		if (left === 0) this.#counts.delete(bucket)
		else this.#counts.set(bucket, left)
	}

	close(close: CloseCode): void {
		for (const hop of [...this.#buckets.keys()]) hop.refuse(close)
	}
}
