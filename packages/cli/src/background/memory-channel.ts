import { Duplex } from 'node:stream'

const BUFFER_BYTES = 1024 * 1024

/** Two ends of a channel inside one process, each a half-closing, paced duplex. */
export function memoryChannel(): readonly [Duplex, Duplex] {
	const left = new MemoryEnd()
	const right = new MemoryEnd()
	left.peer = right
	right.peer = left
	return [left, right]
}

class MemoryEnd extends Duplex {
	peer: MemoryEnd | undefined
	#wroteToPeer: (() => void) | undefined

	constructor() {
		super({ allowHalfOpen: true, highWaterMark: BUFFER_BYTES })
	}

	override _read(): void {
		const resume = this.#wroteToPeer
		this.#wroteToPeer = undefined
		resume?.()
	}

	override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
		if (this.peer === undefined || this.peer.destroyed) return done()
		if (this.peer.push(chunk)) return done()
		this.peer.#wroteToPeer = done
		return undefined
	}

	override _final(done: () => void): void {
		this.peer?.push(null)
		done()
	}

	override _destroy(error: Error | null, done: (error: Error | null) => void): void {
		const { peer } = this
		if (peer !== undefined && !peer.destroyed) queueMicrotask(() => peer.destroy())
		done(error)
	}
}
