import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { LinkStream, LinkStreamHandlers } from '@sallyport/carrier'

/** Sends what a source gives on a stream; the source waits while the stream has no room. Call `drained` from `onDrain`. */
export function sendFrom(source: Readable, stream: LinkStream, fd?: 1 | 2): { drained(): void } {
	source.on('data', (bytes: Uint8Array) => {
		if (!(fd === undefined ? stream.write(bytes) : stream.write(bytes, fd))) source.pause()
	})
	return { drained: () => source.resume() }
}

/** Writes what came on a stream and gives the credit back once the target has taken it. */
export function writeTo(target: Writable, stream: LinkStream, bytes: Uint8Array): void {
	if (target.destroyed || target.writableEnded) stream.consume(bytes.length)
	else target.write(bytes, () => stream.consume(bytes.length))
}

/** Joins a stream and a socket both ways, each half-closed by itself. */
export function joinSocket(stream: LinkStream, socket: Socket): void {
	const sending = sendFrom(socket, stream)
	let isOver = false
	const handlers: LinkStreamHandlers = {
		onData: (bytes) => writeTo(socket, stream, bytes),
		onEnd: () => socket.end(),
		onDrain: () => sending.drained(),
		// A reset, not a close: a server that only saw the end of our half would wait for ever to say its own.
		onReset: () => {
			isOver = true
			socket.resetAndDestroy()
		},
		onClose: () => {
			isOver = true
			socket.destroy()
		},
	}
	socket.on('end', () => stream.end())
	socket.on('error', () => {
		if (!isOver) stream.reset('cancelled', 'the other end closed the connection without a goodbye')
	})
	stream.setHandlers(handlers)
}
