import { describe, expect, it, vi } from 'vitest'
import type { ControlEvent } from '../store/events.ts'
import { createEventFeed } from './event-feed.ts'

const event = (id: string): ControlEvent => ({ id, kind: 'credential', subject: `subject of ${id}` })

function feedOver(rows: { current: readonly ControlEvent[] | Error }) {
	const windows: number[] = []
	const recent = async (windowMs: number) => {
		windows.push(windowMs)
		if (rows.current instanceof Error) throw rows.current
		return rows.current
	}
	const onFailure = vi.fn()
	// Safe: the feed reads events and nothing else of the store.
	const store = { events: { recent } } as never
	return { windows, onFailure, open: () => createEventFeed({ store, onFailure, pollMs: 1_000_000 }) }
}

describe('the event feed', () => {
	it('tells of what comes after its start, each once, in order', async () => {
		const rows = { current: [event('old')] as readonly ControlEvent[] }
		const feed = await feedOver(rows).open()
		const heard: string[] = []
		feed.onEvent(({ id }) => heard.push(id))
		rows.current = [event('old'), event('a'), event('b')]
		await Promise.all([feed.wake(), feed.wake()])
		rows.current = [event('b'), event('c')]
		await feed.wake()
		expect(heard).toEqual(['a', 'b', 'c'])
		feed.close()
	})

	it('finds an event that was written earlier but committed later than others', async () => {
		const rows = { current: [] as readonly ControlEvent[] }
		const feed = await feedOver(rows).open()
		const heard: string[] = []
		feed.onEvent(({ id }) => heard.push(id))
		rows.current = [event('second')]
		await feed.wake()
		rows.current = [event('first'), event('second')]
		await feed.wake()
		expect(heard).toEqual(['second', 'first'])
		feed.close()
	})

	it('goes on after a failure, and looks back as far as the last look that worked', async () => {
		const rows: { current: readonly ControlEvent[] | Error } = { current: [] }
		const over = feedOver(rows)
		const feed = await over.open()
		const heard: string[] = []
		feed.onEvent(({ id }) => heard.push(id))
		rows.current = new Error('database is away')
		const now = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 120_000)
		await feed.wake()
		await feed.wake()
		rows.current = [event('missed')]
		await feed.wake()
		now.mockRestore()
		expect(over.onFailure).toHaveBeenCalledOnce()
		expect(heard).toEqual(['missed'])
		expect(over.windows.at(-1)).toBeGreaterThanOrEqual(150_000)
		feed.close()
	})

	it('is silent for a listener that left and after its end', async () => {
		const rows = { current: [] as readonly ControlEvent[] }
		const feed = await feedOver(rows).open()
		const [gone, stays] = [vi.fn(), vi.fn()]
		feed.onEvent(gone)()
		feed.onEvent(stays)
		rows.current = [event('a')]
		await feed.wake()
		feed.close()
		rows.current = [event('b')]
		await feed.wake()
		expect(gone).not.toHaveBeenCalled()
		expect(stays).toHaveBeenCalledOnce()
	})
})
