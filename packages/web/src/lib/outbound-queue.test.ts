import { describe, expect, it } from 'vitest'
import { OutboundQueue } from './outbound-queue.ts'

function createSink(takesBeforeFull: number) {
	const sink = {
		pieces: [] as Uint8Array[],
		room: takesBeforeFull,
		resume: () => {},
		write(bytes: Uint8Array) {
			sink.pieces.push(bytes)
			sink.room--
			return sink.room > 0
		},
		onWritable(handler: () => void) {
			sink.resume = handler
		},
		text: () => new TextDecoder().decode(concat(sink.pieces)),
	}
	return sink
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
	const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
	let offset = 0
	for (const part of parts) {
		whole.set(part, offset)
		offset += part.length
	}
	return whole
}

const bytes = (text: string) => new TextEncoder().encode(text)

describe('OutboundQueue', () => {
	it('passes a keystroke on at once', () => {
		const sink = createSink(10)
		new OutboundQueue(sink).push(bytes('a'))
		expect(sink.text()).toBe('a')
	})

	it('sends a paste of 1 MB in pieces, holds back while the host does not read, and loses nothing', () => {
		const sink = createSink(3)
		const queue = new OutboundQueue(sink)
		const paste = Uint8Array.from({ length: 1_000_000 }, (_, index) => index % 251)
		queue.push(paste)
		expect(sink.pieces).toHaveLength(3)
		expect(queue.queuedBytes).toBe(1_000_000 - 3 * 16_384)
		while (queue.queuedBytes > 0) {
			sink.room = 5
			sink.resume()
		}
		expect(Buffer.compare(concat(sink.pieces), paste)).toBe(0)
		expect(Math.max(...sink.pieces.map((piece) => piece.length))).toBe(16_384)
	})

	it('sends what is typed during a paste after it', () => {
		const sink = createSink(1)
		const queue = new OutboundQueue(sink)
		queue.push(bytes('x'.repeat(20_000)))
		queue.push(bytes('END'))
		sink.room = 100
		sink.resume()
		expect(sink.text()).toBe(`${'x'.repeat(20_000)}END`)
	})

	it('refuses as a whole what would pass its limit', () => {
		const sink = createSink(1)
		const queue = new OutboundQueue(sink)
		queue.push(new Uint8Array(16_384))
		expect(queue.push(new Uint8Array(60 * 1024 * 1024))).toBe(true)
		expect(queue.push(new Uint8Array(5 * 1024 * 1024))).toBe(false)
		expect(queue.queuedBytes).toBe(60 * 1024 * 1024)
	})
})
