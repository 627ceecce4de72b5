import { fstatSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'

const BUFFER_BYTES = 1024 * 1024

/** Standard input. Pipes and sockets are read by the event loop, whatever else goes on. */
export function openInput(): Readable {
	if (!isStream(0)) return process.stdin
	return new Socket({ fd: 0, readable: true, writable: false, highWaterMark: BUFFER_BYTES } as ConstructorParameters<
		typeof Socket
	>[0])
}

/** Standard output or error. Writes to pipes never block: input goes on being read while a reader is slow. */
export function openOutput(fd: 1 | 2): Writable {
	if (!isStream(fd)) return fd === 1 ? process.stdout : process.stderr
	return new Socket({ fd, readable: false, writable: true, highWaterMark: BUFFER_BYTES } as ConstructorParameters<
		typeof Socket
	>[0])
}

/** Waits until everything written has left this process. */
export function flush(output: Writable): Promise<void> {
	return new Promise((resolve) => {
		if (output.destroyed || output.writableLength === 0) resolve()
		else output.write('', () => resolve())
	})
}

function isStream(fd: number): boolean {
	const stat = fstatSync(fd)
	return stat.isFIFO() || stat.isSocket()
}
