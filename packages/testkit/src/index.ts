/**
 * What tests use instead of time, chance and networks: a clock that stands still, randomness with a seed, sockets in
 * memory. No product code imports it.
 *
 * ```ts
 * import { createMemorySocketPair, FakeClock } from '@sallyport/testkit'
 *
 * const clock = new FakeClock()
 * const { left, right, leftToRight } = createMemorySocketPair(clock)
 * leftToRight.delayMs = 40
 * right.setHandlers({ onText: console.log, onBinary: () => {}, onClose: () => {} })
 * left.sendText('hello')
 * clock.advance(40)
 * ```
 */
export * from './fake-clock.ts'
export * from './memory-socket.ts'
export * from './seeded-random.ts'
