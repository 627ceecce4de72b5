import type { Duplex } from 'node:stream'
import type { LinkStream, StreamReset } from '@sallyport/carrier'
import { type LocalControl, type LocalEnd, parseControl } from './local-events.ts'
import { LOCAL_FRAME, LocalFrameReader, localFrameHeader } from './local-frames.ts'

/**
 * Joins a raw channel and a `tcp` stream until both directions are done. Back-pressure passes through: a side that does
 * not take bytes stops the other's reading. Resolves with the reset, if there was one.
 */
export function spliceRaw(channel: Duplex, stream: LinkStream): Promise<StreamReset | undefined> {
	return new Promise((resolve) => {
		let held = 0
		let reset: StreamReset | undefined
		let isEnded = false
		let isPeerEnded = false
		channel.on('data', (chunk: Buffer) => {
			if (!stream.write(chunk)) channel.pause()
		})
		channel.on('drain', () => {
			const bytes = held
			held = 0
			if (bytes > 0) stream.consume(bytes)
		})
		channel.on('end', () => {
			isEnded = true
			stream.end()
		})
		// Whatever it was, the close that follows is what counts.
		channel.on('error', () => undefined)
		channel.on('close', () => {
			// After both ends what is still queued in the stream goes out; else whoever reads or writes here is gone.
			if (!isEnded || !isPeerEnded) stream.reset('cancelled')
		})
		stream.setHandlers({
			onData: (bytes) => {
				if (channel.write(bytes)) stream.consume(bytes.length)
				else held += bytes.length
			},
			onEnd: () => {
				isPeerEnded = true
				channel.end()
			},
			onDrain: () => void channel.resume(),
			onReset: (why) => {
				reset = why
			},
			onClose: () => {
				if (reset !== undefined) channel.destroy()
				resolve(reset)
			},
		})
		channel.resume()
	})
}

export interface FramedOptions {
	/** Fd 2 of an `exec` stream goes out as `errorData`. */
	readonly hasErrorData: boolean
	readonly onDetach: () => void
	readonly linkEnded: () => Promise<{ readonly message: string }>
}

/** Joins a channel of local frames and an `exec` or terminal stream. Resolves when the last frame was handed over. */
export function spliceFramed(channel: Duplex, stream: LinkStream, options: FramedOptions): Promise<void> {
	return new Promise((resolve) => {
		const reader = new LocalFrameReader()
		let held = 0
		let exit: LocalEnd | undefined
		let reset: StreamReset | undefined
		let isDetached = false
		let isOver = false

		const send = (type: number, payload: Uint8Array): boolean => {
			channel.cork()
			channel.write(localFrameHeader(type, payload.length))
			const hasRoom = channel.write(payload)
			process.nextTick(() => channel.uncork())
			return hasRoom
		}
		const handleControl = (control: LocalControl): void => {
			switch (control.kind) {
				case 'resize':
					return stream.send({ op: 'resize', cols: control.cols, rows: control.rows })
				case 'signal':
					return stream.send({ op: 'signal', signal: control.signal })
				case 'detach':
					isDetached = true
					options.onDetach()
					return stream.reset('cancelled', 'detached')
				default:
					return control satisfies never
			}
		}
		const handleFrame = (type: number, payload: Uint8Array): void => {
			if (type === LOCAL_FRAME.data && !stream.write(payload)) channel.pause()
			if (type === LOCAL_FRAME.end) stream.end()
			if (type !== LOCAL_FRAME.json) return
			const control = parseControl(payload)
			if (control.ok) handleControl(control.value)
		}
		const endOf = async (): Promise<LocalEnd> => {
			if (isDetached) return { kind: 'detached' }
			if (exit !== undefined) return exit
			if (reset === undefined) return { kind: 'exit' }
			if (reset.code === 'link_lost') return { kind: 'link', message: (await options.linkEnded()).message }
			return { kind: 'reset', code: reset.code, message: reset.message }
		}
		channel.on('data', (chunk: Buffer) => {
			try {
				for (const frame of reader.push(chunk)) handleFrame(frame.type, frame.payload)
			} catch {
				// Frames that nothing of ours sends: whoever it is, is not spoken to further.
				channel.destroy()
			}
		})
		channel.on('drain', () => {
			const bytes = held
			held = 0
			if (bytes > 0 && !isOver) stream.consume(bytes)
		})
		channel.on('error', () => undefined)
		channel.on('close', () => {
			if (!isOver) stream.reset('cancelled')
			resolve()
		})
		stream.setHandlers({
			onData: (bytes, fd) => {
				const type = options.hasErrorData && fd === 2 ? LOCAL_FRAME.errorData : LOCAL_FRAME.data
				if (send(type, bytes)) stream.consume(bytes.length)
				else held += bytes.length
			},
			onMessage: (message) => {
				if (message.op !== 'exit') return
				exit = {
					kind: 'exit',
					...(message.status === undefined ? {} : { status: message.status }),
					...(message.signal === undefined ? {} : { signal: message.signal }),
				}
			},
			// The program is done with its output, and so gone: input has nowhere to go.
			onEnd: () => stream.end(),
			onDrain: () => void channel.resume(),
			onReset: (why) => {
				reset = why
			},
			onClose: () => {
				isOver = true
				void endOf().then((end) => {
					send(LOCAL_FRAME.json, Buffer.from(JSON.stringify(end)))
					channel.end()
				})
			},
		})
		channel.resume()
	})
}
