import type { LinkNotice } from '@sallyport/link'
import type { LinkReady } from '@sallyport/protocol'
import { LIMITS } from '@sallyport/protocol'
import type { Clock } from '../clock.ts'
import type { LinkDriver } from '../driver/link-driver.ts'
import type { ClientLink, LinkEnd } from '../link.ts'

/** A move that failed is tried again so much later; the node ends the connection a quarter of an hour after the hour. */
const MOVE_AGAIN_MS = 60_000

export interface ClientLinkOptions {
	readonly driver: LinkDriver
	readonly ready: LinkReady
	readonly clock: Clock
	/** Moves the link to a fresh connection; rejects when it stays on the old one. */
	readonly resume?: (attempt: number) => Promise<void>
}

/** The client's end of a link, around its driver. */
export function createClientLink(options: ClientLinkOptions): ClientLink {
	const { driver, ready, clock, resume } = options
	const listeners = new Set<(notice: LinkNotice) => void>()
	let settle: (end: LinkEnd) => void = () => undefined
	const ended = new Promise<LinkEnd>((resolve) => {
		settle = resolve
	})
	let attempt = 0
	let cancelMove: (() => void) | undefined
	const planMove = (delayMs: number): void => {
		if (resume === undefined || driver.end !== undefined) return
		cancelMove = clock.setTimer(delayMs, () => {
			resume(++attempt).then(
				() => planMove(LIMITS.connectionMoveMs),
				() => planMove(MOVE_AGAIN_MS),
			)
		})
	}
	driver.setHandlers({
		onNotice: (notice) => {
			for (const listener of [...listeners]) listener(notice)
		},
		onEnd: (end) => {
			cancelMove?.()
			settle(end)
		},
	})
	planMove(LIMITS.connectionMoveMs)
	return {
		id: driver.id,
		ready,
		ended,
		get isOpen() {
			return driver.end === undefined
		},
		get stats() {
			return driver.stats
		},
		openStream: (request) => driver.openStream(request),
		request: (request) => driver.request(request),
		onNotice(listener) {
			listeners.add(listener)
			return () => listeners.delete(listener)
		},
		close: (code, message) => driver.close(code, message),
	}
}
