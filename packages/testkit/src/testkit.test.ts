import { expect, test } from 'vitest'
import { createMemorySocketPair, createSeededRandom, FakeClock, withSeed } from './index.ts'

function listener(socket: ReturnType<typeof createMemorySocketPair>['left']) {
	const seen: string[] = []
	const onClose = (close: { code: number; reason: string }) => void seen.push(`close ${close.code} ${close.reason}`)
	socket.setHandlers({ onText: (text) => seen.push(text), onBinary: (bytes) => seen.push(bytes.join()), onClose })
	return seen
}

function createPair() {
	const clock = new FakeClock()
	const pair = createMemorySocketPair(clock)
	return { clock, ...pair, atLeft: listener(pair.left), atRight: listener(pair.right) }
}

test('the clock runs timers in order of time, then of setting, and skips cancelled ones', () => {
	const clock = new FakeClock(1000)
	const ran: string[] = []
	clock.setTimer(20, () => ran.push(`c at ${clock.nowMs()}`))
	clock.setTimer(10, () => {
		ran.push('a')
		clock.setTimer(5, () => ran.push('b'))
	})
	clock.setTimer(20, () => ran.push('d'))
	clock.setTimer(15, () => ran.push('never'))()
	clock.advance(19)
	expect(ran).toEqual(['a', 'b'])
	clock.advance(1)
	expect(ran).toEqual(['a', 'b', 'c at 1020', 'd'])
	expect(clock.timerCount).toBe(0)
})

test('the clock lets promises settle between timers', async () => {
	const clock = new FakeClock()
	const ran: string[] = []
	clock.setTimer(1, () => void Promise.resolve().then(() => clock.setTimer(1, () => ran.push('second'))))
	await clock.advanceAsync(2)
	expect(ran).toEqual(['second'])
})

test('messages arrive in order after their delay, never from within send', () => {
	const { clock, left, leftToRight, atRight } = createPair()
	leftToRight.delayMs = 5
	left.sendText('one')
	left.sendBinary(Uint8Array.of(1, 2))
	expect(left.bufferedBytes).toBe(5)
	clock.advance(4)
	expect(atRight).toEqual([])
	clock.advance(1)
	expect(atRight).toEqual(['one', '1,2'])
	expect(left.bufferedBytes).toBe(0)
})

test('a paused reader leaves messages in the sender until it resumes', () => {
	const { clock, left, right, atRight } = createPair()
	let drained = 0
	right.pause()
	left.sendText('held')
	left.onceDrained(0, () => drained++)
	clock.advance(10)
	expect([atRight.length, left.bufferedBytes, drained]).toEqual([0, 4, 0])
	right.resume()
	clock.advance(0)
	expect([atRight, left.bufferedBytes, drained]).toEqual([['held'], 0, 1])
})

test('messages wait for the first handlers, and so does the close', () => {
	const clock = new FakeClock()
	const { left, right } = createMemorySocketPair(clock)
	left.setHandlers({ onText: () => {}, onBinary: () => {}, onClose: () => {} })
	left.sendText('early')
	left.close(4400, 'bad')
	clock.advance(1)
	const atRight = listener(right)
	clock.advance(1)
	expect(atRight).toEqual(['early', 'close 4400 bad'])
})

test('a close reaches both sides once, after what was sent before it', () => {
	const { clock, left, right, atLeft, atRight } = createPair()
	left.sendText('last')
	left.close(4410, 'offline')
	left.close(1000, 'again')
	left.sendText('too late')
	expect(left.isOpen).toBe(false)
	clock.advance(3000)
	right.terminate()
	clock.advance(1)
	expect(atRight).toEqual(['last', 'close 4410 offline'])
	expect(atLeft).toEqual(['close 4410 offline'])
})

test('a close that is not answered ends after two seconds', () => {
	const { clock, left, leftToRight, atLeft } = createPair()
	leftToRight.isHeld = true
	left.close(1000, 'bye')
	clock.advance(1999)
	expect(atLeft).toEqual([])
	clock.advance(1)
	expect(atLeft).toEqual(['close 1006 '])
})

test('a cut loses what was under way on both sides', () => {
	const { clock, left, leftToRight, atLeft, atRight, cut } = createPair()
	leftToRight.delayMs = 5
	left.sendText('lost')
	cut()
	clock.advance(100)
	expect([atLeft, atRight]).toEqual([['close 1006 '], ['close 1006 ']])
})

test('a held wire delivers message by message, and a tampered one what the test makes of it', () => {
	const { clock, left, leftToRight, atRight } = createPair()
	leftToRight.isHeld = true
	leftToRight.tamper = (message) => (message.kind === 'text' ? [message, { kind: 'binary', bytes: Uint8Array.of(9) }] : [])
	left.sendText('a')
	left.sendBinary(Uint8Array.of(1))
	left.sendText('b')
	clock.advance(1)
	expect(leftToRight.waiting).toBe(3)
	leftToRight.flush(1)
	expect(atRight).toEqual(['a', '9'])
	leftToRight.isHeld = false
	clock.advance(1)
	expect(atRight).toEqual(['a', '9', 'b', '9'])
})

test('the same seed gives the same numbers, and a failure names its seed', async () => {
	const numbers = (seed: number) => {
		const random = createSeededRandom(seed)
		return [random.int(1, 6), ...random.bytes(4), random.pick([1, 2, 3]), random.chance(0.5)]
	}
	expect(numbers(7)).toEqual(numbers(7))
	expect(numbers(7)).not.toEqual(numbers(8))
	const failing = withSeed(() => {
		throw new Error('broken')
	}, 42)
	await expect(failing).rejects.toThrow('SEED=42')
})
