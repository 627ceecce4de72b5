/**
 * Tells listeners of revocations and node changes within half a second, whichever process of the same database made
 * them; those of this process at once, by `wake`.
 */
import type { ControlEvent } from '../store/events.ts'
import type { Store } from '../store/store.ts'

const POLL_MS = 400
/** Longer than any transaction lives, so that a late commit isn't missed. */
const WINDOW_MS = 30_000

export interface EventFeed {
	onEvent(listener: (event: ControlEvent) => void): () => void
	/** Looks now; resolves when listeners have heard of all that was committed before the call. */
	wake(): Promise<void>
	close(): void
}

export interface EventFeedDeps {
	readonly store: Store
	/** Called when reading begins to fail, not for each try of an outage. */
	readonly onFailure: (failure: unknown) => void
	/** @default 400 ms */
	readonly pollMs?: number
}

/** Starts from now: what was revoked before has no sockets here yet. */
export async function createEventFeed({ store, onFailure, pollMs = POLL_MS }: EventFeedDeps): Promise<EventFeed> {
	const listeners = new Set<(event: ControlEvent) => void>()
	let seen = new Set((await store.events.recent(WINDOW_MS)).map((event) => event.id))
	let lastReadAt = performance.now()
	let reading: Promise<void> = Promise.resolve()
	let timer: NodeJS.Timeout | undefined
	let isClosed = false
	let isFailing = false

	const read = async () => {
		const startedAt = performance.now()
		try {
			// After an outage the window reaches back to the last look.
			const events = await store.events.recent(Math.ceil(WINDOW_MS + startedAt - lastReadAt))
			if (isClosed) return
			const fresh = events.filter((event) => !seen.has(event.id))
			seen = new Set(events.map((event) => event.id))
			lastReadAt = startedAt
			isFailing = false
			for (const event of fresh) for (const listener of [...listeners]) listener(event)
		} catch (failure) {
			if (!isClosed && !isFailing) onFailure(failure)
			isFailing = true
		}
	}
	const wake = () => {
		reading = reading.then(read)
		return reading
	}
	const schedule = () => {
		timer = setTimeout(() => void wake().then(() => isClosed || schedule()), pollMs)
		timer.unref()
	}
	schedule()
	return {
		onEvent(listener) {
			listeners.add(listener)
			return () => listeners.delete(listener)
		},
		wake,
		close() {
			isClosed = true
			clearTimeout(timer)
			listeners.clear()
		},
	}
}
