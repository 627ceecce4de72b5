import type { Writable } from 'node:stream'

/** More than this waiting for a slow reader stops the source. */
const WAITING_BYTES = 1024 * 1024

/**
 * Writes, and says whether the source may go on. The stream's own answer is no for every chunk above 16 KiB, though a
 * pipe mostly takes it at once; what counts is what really waits.
 */
export function writePaced(output: Writable, bytes: Uint8Array): boolean {
	return output.write(bytes) || output.writableLength < WAITING_BYTES
}

/** Waits until everything written has left this process. */
export function flush(output: Writable): Promise<void> {
	return new Promise((resolve) => {
		if (output.destroyed || output.writableLength === 0) resolve()
		else output.write('', () => resolve())
	})
}
