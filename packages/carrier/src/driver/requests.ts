import type { LinkLevelMessage } from '@sallyport/protocol'
import { LinkError } from '../errors.ts'
import type { LinkAnswer } from '../link.ts'

interface Pending {
	readonly resolve: (answer: LinkAnswer) => void
	readonly reject: (error: LinkError) => void
}

/** Requests of this side that wait for their answer; every one settles, at the latest with the link. */
export class PendingRequests {
	readonly #pending = new Map<number, Pending>()

	add(id: number): Promise<LinkAnswer> {
		return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }))
	}

	settle(message: Extract<LinkLevelMessage, { op: LinkAnswer['op'] | 'failed' | 'unsupported' }>): void {
		const pending = this.#pending.get(message.id)
		if (pending === undefined) return
		this.#pending.delete(message.id)
		switch (message.op) {
			case 'failed':
				return pending.reject(new LinkError(message.code, message.message))
			case 'unsupported':
				return pending.reject(new LinkError('unsupported', `the machine's version does not know ${message.what}`))
			case 'terminals':
			case 'sessions':
			case 'pairing_approved':
			case 'done':
				return pending.resolve(message)
		}
	}

	rejectAll(error: LinkError): void {
		for (const pending of this.#pending.values()) pending.reject(error)
		this.#pending.clear()
	}
}
