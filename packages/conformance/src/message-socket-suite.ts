import type { MessageSocket, SocketClose } from '@sallyport/transport'
import { describe, expect, it } from 'vitest'

/** Two ends of one open socket, and how to be rid of both. */
export interface SocketPair {
	readonly near: MessageSocket
	readonly far: MessageSocket
	readonly dispose: () => Promise<void> | void
}

export interface MessageSocketTraits {
	/** Whether `pause` holds the sender back (browsers can't). */
	readonly canPause: boolean
	/** What the other side sees when the near one is dropped. */
	readonly droppedCode: 1005 | 1006
}

/** Everything that came to one end, and waits for it. */
class Received {
	readonly messages: (string | Uint8Array)[] = []
	closes: SocketClose[] = []
	#wake: (() => void)[] = []

	constructor(socket: MessageSocket) {
		socket.setHandlers({
			onText: (text) => this.#note(() => this.messages.push(text)),
			onBinary: (bytes) => this.#note(() => this.messages.push(Uint8Array.from(bytes))),
			onClose: (close) => this.#note(() => this.closes.push(close)),
		})
	}

	async until(isThere: () => boolean): Promise<void> {
		while (!isThere()) await new Promise<void>((resolve) => this.#wake.push(resolve))
	}

	#note(take: () => void): void {
		take()
		const wake = this.#wake
		this.#wake = []
		for (const resolve of wake) resolve()
	}
}

/** What every implementation of `MessageSocket` must do. Call it inside a test file. */
export function messageSocketSuite(name: string, makePair: () => Promise<SocketPair>, traits: MessageSocketTraits): void {
	const withPair = (act: (pair: SocketPair) => Promise<void>) => async (): Promise<void> => {
		const pair = await makePair()
		try {
			await act(pair)
		} finally {
			await pair.dispose()
		}
	}

	describe(`${name} as a message socket`, () => {
		deliverySuite(withPair)
		closingSuite(withPair, traits)
		backPressureSuite(withPair, traits)
	})
}

type WithPair = (act: (pair: SocketPair) => Promise<void>) => () => Promise<void>

function deliverySuite(withPair: WithPair): void {
	it(
		'delivers text and binary in order, boundaries kept, in both directions',
		withPair(async ({ near, far }) => {
			const atFar = new Received(far)
			const atNear = new Received(near)
			near.sendText('héllo')
			near.sendBinary(Uint8Array.of(1, 2, 3))
			near.sendBinary(new Uint8Array(0))
			near.sendBinary(new Uint8Array(65_535).fill(7))
			far.sendText('back')
			await atFar.until(() => atFar.messages.length === 4)
			await atNear.until(() => atNear.messages.length === 1)
			expect(atFar.messages).toEqual(['héllo', Uint8Array.of(1, 2, 3), new Uint8Array(0), new Uint8Array(65_535).fill(7)])
			expect(atNear.messages).toEqual(['back'])
		}),
	)
	it(
		'keeps what arrives before there is a reader, and the close after it',
		withPair(async ({ near, far }) => {
			const atNear = new Received(near)
			far.sendText('one')
			far.sendBinary(Uint8Array.of(2))
			far.close(4408, 'late')
			near.sendText('early')
			await atNear.until(() => atNear.closes.length === 1)
			expect(atNear.messages).toEqual(['one', Uint8Array.of(2)])
			expect(atNear.closes).toEqual([{ code: 4408, reason: 'late' }])
		}),
	)
	it(
		'delivers every one of 1000 messages that were sent before there was a reader',
		withPair(async ({ near, far }) => {
			for (let index = 0; index < 60; index++) near.sendText(String(index))
			const probe = new Received(near)
			far.sendText('sent')
			await probe.until(() => probe.messages.length === 1)
			const atFar = new Received(far)
			for (let index = 60; index < 1000; index++) near.sendText(String(index))
			await atFar.until(() => atFar.messages.length === 1000)
			expect(atFar.messages).toEqual(Array.from({ length: 1000 }, (_, index) => String(index)))
		}),
	)
	it(
		'hands the rest to a reader that takes over in the middle of waiting messages',
		withPair(async ({ near, far }) => {
			near.sendText('first')
			near.sendText('second')
			far.sendText('sync')
			const probe = new Received(near)
			await probe.until(() => probe.messages.length === 1)
			const first: string[] = []
			const second = await new Promise<string>((resolve) => {
				far.setHandlers({
					onText: (text) => {
						first.push(text)
						far.setHandlers({ onText: resolve, onBinary: () => {}, onClose: () => {} })
					},
					onBinary: () => {},
					onClose: () => {},
				})
			})
			expect([first, second]).toEqual([['first'], 'second'])
		}),
	)
}

function closingSuite(withPair: WithPair, traits: MessageSocketTraits): void {
	it(
		'tells both sides the code of a close, once, and delivers nothing after it',
		withPair(async ({ near, far }) => {
			const atNear = new Received(near)
			const atFar = new Received(far)
			near.close(4401, 'ended')
			near.close(4404, 'again')
			near.sendText('too late')
			await atFar.until(() => atFar.closes.length === 1)
			await atNear.until(() => atNear.closes.length === 1)
			expect(atFar.closes).toEqual([{ code: 4401, reason: 'ended' }])
			expect(atFar.messages).toEqual([])
			expect(atNear.closes[0]?.code).toBe(4401)
			expect([near.isOpen, far.isOpen]).toEqual([false, false])
		}),
	)
	it(
		'delivers what was sent before the close',
		withPair(async ({ near, far }) => {
			const atFar = new Received(far)
			for (let index = 0; index < 32; index++) near.sendBinary(new Uint8Array(60_000).fill(index))
			near.close(1000, '')
			await atFar.until(() => atFar.closes.length === 1)
			expect(atFar.messages.length).toBe(32)
		}),
	)
	it(
		'ends at once, with 1006 here, when it is dropped',
		withPair(async ({ near, far }) => {
			const atNear = new Received(near)
			const atFar = new Received(far)
			near.terminate()
			near.terminate()
			await atFar.until(() => atFar.closes.length === 1)
			await atNear.until(() => atNear.closes.length === 1)
			expect([atNear.closes[0]?.code, atFar.closes[0]?.code]).toEqual([1006, traits.droppedCode])
		}),
	)
}

function backPressureSuite(withPair: WithPair, traits: MessageSocketTraits): void {
	it(
		'calls back once what was sent has drained',
		withPair(async ({ near, far }) => {
			const atFar = new Received(far)
			for (let index = 0; index < 64; index++) near.sendBinary(new Uint8Array(60_000))
			await new Promise<void>((resolve) => near.onceDrained(0, resolve))
			expect(near.bufferedBytes).toBe(0)
			await atFar.until(() => atFar.messages.length === 64)
		}),
	)
	it(
		'calls back a waiter for drain when the socket closes instead',
		withPair(async ({ near, far }) => {
			far.pause()
			for (let index = 0; index < 256; index++) near.sendBinary(new Uint8Array(60_000))
			const drained = new Promise<void>((resolve) => near.onceDrained(0, resolve))
			near.terminate()
			await expect(drained).resolves.toBeUndefined()
		}),
	)
	it.runIf(traits.canPause)(
		'holds the sender back while paused, and loses nothing when it goes on',
		withPair(async ({ near, far }) => {
			const atFar = new Received(far)
			far.pause()
			const count = 1024
			for (let index = 0; index < count; index++) near.sendBinary(new Uint8Array(60_000).fill(index % 256))
			expect(near.bufferedBytes).toBeGreaterThan(1024 * 1024)
			far.resume()
			await atFar.until(() => atFar.messages.length === count)
			const firstBytes = atFar.messages.map((message) => (typeof message === 'string' ? -1 : message[0]))
			expect(firstBytes).toEqual(Array.from({ length: count }, (_, index) => index % 256))
		}),
	)
}
