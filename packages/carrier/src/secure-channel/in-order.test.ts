import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InOrder } from './in-order.ts'

interface Deferred {
	readonly promise: Promise<number>
	resolve(value: number): void
	reject(error: Error): void
}

function deferred(): Deferred {
	let resolve: (value: number) => void = () => undefined
	let reject: (error: Error) => void = () => undefined
	const promise = new Promise<number>((onValue, onError) => {
		resolve = onValue
		reject = onError
	})
	return { promise, resolve: (value) => resolve(value), reject: (error) => reject(error) }
}

function make(isPaused = false) {
	const delivered: number[] = []
	const failures: unknown[] = []
	const queue = new InOrder<number>({
		deliver: (value) => delivered.push(value),
		fail: (error) => failures.push(error),
		isPaused,
	})
	return { queue, delivered, failures }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('results in order', () => {
	it('are delivered in the order of pushes, whatever is asynchronous, paused or resumed on the way', async () => {
		const step = fc.oneof(
			fc.record({ kind: fc.constant('sync' as const) }),
			fc.record({ kind: fc.constant('async' as const) }),
			fc.record({ kind: fc.constant('settle' as const), pick: fc.nat() }),
			fc.record({ kind: fc.constantFrom('pause' as const, 'resume' as const) }),
		)
		await fc.assert(
			fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
				const { queue, delivered } = make()
				const open: { readonly value: number; readonly later: Deferred }[] = []
				let next = 0
				for (const { kind, ...rest } of steps) {
					if (kind === 'sync') queue.push(next++, 10)
					else if (kind === 'async') {
						const later = deferred()
						queue.push(later.promise, 10)
						open.push({ value: next++, later })
					} else if (kind === 'settle') {
						const [picked] = open.splice('pick' in rest && open.length > 0 ? rest.pick % open.length : 0, 1)
						picked?.later.resolve(picked.value)
						await settle()
					} else if (kind === 'pause') queue.pause()
					else queue.resume()
					expect(queue.queuedBytes).toBe((next - delivered.length) * 10)
				}
				for (const { value, later } of open) later.resolve(value)
				queue.resume()
				await settle()
				expect(delivered).toEqual(Array.from({ length: next }, (_, index) => index))
				expect(queue.queuedBytes).toBe(0)
			}),
		)
	})

	it('stay in order through a long queue', () => {
		const { queue, delivered } = make(true)
		for (let index = 0; index < 10_000; index++) queue.push(index, 1)
		queue.resume()
		expect(delivered).toEqual(Array.from({ length: 10_000 }, (_, index) => index))
	})

	it('wait for their turn when a reader pushes while it is being called', () => {
		const delivered: string[] = []
		const queue: InOrder<string> = new InOrder({
			deliver: (value) => {
				if (value === 'first') queue.push('second', 1)
				delivered.push(value)
			},
			fail: () => undefined,
			isPaused: false,
		})
		queue.push('first', 1)
		expect(delivered).toEqual(['first', 'second'])
	})

	it('never reach a reader that is still being called, even when it pauses and resumes itself', () => {
		const trace: string[] = []
		const queue: InOrder<number> = new InOrder({
			deliver: (value) => {
				trace.push(`${value} begins`)
				queue.pause()
				queue.resume()
				trace.push(`${value} ends`)
			},
			fail: () => undefined,
			isPaused: true,
		})
		queue.push(1, 1)
		queue.push(2, 1)
		queue.resume()
		expect(trace).toEqual(['1 begins', '1 ends', '2 begins', '2 ends'])
	})

	it('tell who waits once little enough is queued, at once if it is so now', () => {
		const { queue } = make(true)
		const told: string[] = []
		queue.onceAtMost(0, () => told.push('empty already'))
		queue.push(1, 10)
		queue.push(2, 10)
		queue.onceAtMost(0, () => told.push('empty'))
		queue.onceAtMost(20, () => told.push('at most 20'))
		expect(told).toEqual(['empty already', 'at most 20'])
		queue.resume()
		expect(told).toEqual(['empty already', 'at most 20', 'empty'])
	})

	it('report a failure, but not of what was dropped', async () => {
		const { queue, delivered, failures } = make()
		const [dropped, kept] = [deferred(), deferred()]
		queue.push(dropped.promise, 1)
		queue.drop()
		queue.push(kept.promise, 1)
		dropped.reject(new Error('dropped'))
		kept.reject(new Error('kept'))
		await settle()
		expect(failures).toEqual([new Error('kept')])
		expect(delivered).toEqual([])
	})

	it('forget what was dropped, also when its result comes later', async () => {
		const { queue, delivered } = make()
		const later = deferred()
		queue.push(later.promise, 5)
		queue.drop()
		later.resolve(1)
		queue.push(2, 5)
		await settle()
		expect(delivered).toEqual([2])
		expect(queue.queuedBytes).toBe(0)
	})
})
