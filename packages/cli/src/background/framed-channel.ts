import type { Duplex } from 'node:stream'
import type { LocalControl, LocalEnd } from './local-events.ts'
import { parseEnd } from './local-events.ts'
import { LOCAL_FRAME, LocalFrameReader, localFrameHeader } from './local-frames.ts'

export interface FramedHandlers {
	/** False: not taken yet; nothing more comes until `resume`. */
	readonly onData: (bytes: Uint8Array, isError: boolean) => boolean
	/** How it ended, after all data. Undefined: the background process itself went away. */
	readonly onEnd: (end: LocalEnd | undefined) => void
	readonly onDrain: () => void
}

/** A command's side of an `exec` or terminal stream. */
export interface FramedChannel {
	write(bytes: Uint8Array): boolean
	end(): void
	control(message: LocalControl): void
	resume(): void
	destroy(): void
}

export function openFramedChannel(channel: Duplex, handlers: FramedHandlers): FramedChannel {
	const reader = new LocalFrameReader()
	let last: LocalEnd | undefined
	let isOver = false
	const finish = (): void => {
		if (isOver) return
		isOver = true
		channel.destroy()
		handlers.onEnd(last)
	}
	const send = (type: number, payload: Uint8Array): boolean => {
		if (!channel.writable) return true
		channel.cork()
		channel.write(localFrameHeader(type, payload.length))
		const hasRoom = payload.length === 0 || channel.write(payload)
		process.nextTick(() => channel.uncork())
		return hasRoom
	}
	channel.on('data', (chunk: Buffer) => {
		for (const { type, payload } of reader.push(chunk)) {
			if (type === LOCAL_FRAME.json) {
				const end = parseEnd(payload)
				if (end.ok) last = end.value
			} else if (!handlers.onData(payload, type === LOCAL_FRAME.errorData)) channel.pause()
		}
	})
	channel.on('drain', () => handlers.onDrain())
	channel.on('error', () => undefined)
	channel.on('end', finish)
	channel.on('close', finish)
	return {
		write: (bytes) => send(LOCAL_FRAME.data, bytes),
		end: () => void send(LOCAL_FRAME.end, new Uint8Array(0)),
		control: (message) => void send(LOCAL_FRAME.json, Buffer.from(JSON.stringify(message))),
		resume: () => void channel.resume(),
		destroy: () => void channel.destroy(),
	}
}
