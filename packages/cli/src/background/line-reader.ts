import type { Duplex } from 'node:stream'
import { LOCAL_LINE_BYTES } from './local-protocol.ts'

/** Reads one line, and leaves what follows it in the channel, paused. Undefined: it ended before, or the line is too long. */
export function readLine(channel: Duplex): Promise<Uint8Array | undefined> {
	return new Promise((resolve) => {
		const parts: Buffer[] = []
		let length = 0
		const finish = (line: Uint8Array | undefined): void => {
			channel.off('data', onData)
			channel.off('end', onGone)
			channel.off('close', onGone)
			channel.off('error', onGone)
			resolve(line)
		}
		const onGone = (): void => finish(undefined)
		const onData = (chunk: Buffer): void => {
			const end = chunk.indexOf(0x0a)
			length += end < 0 ? chunk.length : end
			if (length > LOCAL_LINE_BYTES) {
				channel.destroy()
				return finish(undefined)
			}
			parts.push(end < 0 ? chunk : chunk.subarray(0, end))
			if (end < 0) return undefined
			channel.pause()
			if (end + 1 < chunk.length) channel.unshift(chunk.subarray(end + 1))
			return finish(Buffer.concat(parts))
		}
		channel.on('data', onData)
		channel.on('end', onGone)
		channel.on('close', onGone)
		channel.on('error', onGone)
	})
}
