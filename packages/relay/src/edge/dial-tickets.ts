import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { NodeId, TokenParts } from '@sallyport/protocol'
import { formatToken, LIMITS, parseToken, TOKEN_RANDOM_BYTES, tokenFromRandom } from '@sallyport/protocol'
import type { Hop } from './hop.ts'

/** How waiting for an agent's dial-back ended. */
export type DialOutcome =
	| { readonly kind: 'dialled'; readonly hop: Hop }
	| { readonly kind: 'failed'; readonly reason: string }
	| { readonly kind: 'timed_out' }
	| { readonly kind: 'cancelled' }

interface PendingDial {
	readonly nodeId: NodeId
	readonly secretHash: Buffer
	readonly settle: (outcome: DialOutcome) => void
}

export interface IssuedTicket {
	readonly token: string
	readonly outcome: Promise<DialOutcome>
	cancel(): void
}

/** One-use tickets by which an agent's dial-back finds the client that waits for it. */
export class DialTickets {
	readonly #pending = new Map<string, PendingDial>()

	issue(nodeId: NodeId): IssuedTicket {
		const parts = tokenFromRandom('link_ticket', randomBytes(TOKEN_RANDOM_BYTES))
		let cancel = (): void => {}
		const outcome = new Promise<DialOutcome>((resolve) => {
			const settle = (result: DialOutcome): void => {
				clearTimeout(timer)
				this.#pending.delete(parts.id)
				resolve(result)
			}
			const timer = setTimeout(() => settle({ kind: 'timed_out' }), LIMITS.linkTicketMs)
			cancel = () => settle({ kind: 'cancelled' })
			this.#pending.set(parts.id, { nodeId, secretHash: hashed(parts), settle })
		})
		return { token: formatToken(parts), outcome, cancel }
	}

	/** Takes the ticket out, so that a second use finds nothing; false when it isn't a live one. */
	redeem(token: string, hop: Hop): boolean {
		const parsed = parseToken(token)
		if (!parsed.ok || parsed.value.kind !== 'link_ticket') return false
		const pending = this.#pending.get(parsed.value.id)
		if (pending === undefined || !timingSafeEqual(pending.secretHash, hashed(parsed.value))) return false
		pending.settle({ kind: 'dialled', hop })
		return true
	}

	/** The agent says that it won't or can't dial; only the node that was asked is heard. */
	fail(nodeId: NodeId, ticketId: string, reason: string): void {
		const pending = this.#pending.get(ticketId)
		if (pending?.nodeId === nodeId) pending.settle({ kind: 'failed', reason })
	}

	/** The node's control socket is gone: who waits for it need not wait on. */
	failAll(nodeId: NodeId, reason: string): void {
		for (const pending of [...this.#pending.values()]) if (pending.nodeId === nodeId) pending.settle({ kind: 'failed', reason })
	}

	close(): void {
		for (const pending of [...this.#pending.values()]) pending.settle({ kind: 'cancelled' })
	}
}

function hashed(parts: TokenParts): Buffer {
	return createHash('sha256').update(parts.secret).digest()
}
