import type { ClientLink, InboundStreamMessage, LinkStream, StreamRequest, StreamReset } from '@sallyport/carrier'
import { ClientError } from '../errors.ts'
import type { TerminalEnd, TerminalSession } from '../sally-client.ts'

export interface TerminalStream {
	readonly session: TerminalSession
	/** Messages of the stream other than its exit: an SSH login's. */
	onMessage(handler: (message: InboundStreamMessage) => void): void
}

/** Opens a terminal stream and waits until the node took it. */
export async function openTerminalSession(link: ClientLink, request: StreamRequest): Promise<TerminalSession> {
	const { stream, opened } = link.openStream(request)
	const terminal = terminalOver(link, stream)
	const { terminalId, name } = await opened.catch((error: unknown) => Promise.reject(ClientError.from(error)))
	return named(terminal.session, terminalId ?? '', name ?? '', request.kind === 'ssh' ? 'ssh' : 'shell')
}

/** Fills in what the node said when it took the stream. */
export function named(session: TerminalSession, terminalId: string, name: string, kind: 'shell' | 'ssh'): TerminalSession {
	return { ...session, terminalId, name, kind }
}

/** Output that comes before someone listens waits in the stream: it is not acknowledged, so the host is held back. */
export function terminalOver(link: ClientLink, stream: LinkStream): TerminalStream {
	const waiting: Uint8Array[] = []
	let onOutput: ((bytes: Uint8Array, done: () => void) => void) | undefined
	let onWritable = (): void => {}
	let onMessage = (_message: InboundStreamMessage): void => {}
	let exit: { status?: number; signal?: string } | undefined
	let reset: StreamReset | undefined
	let isDetached = false
	let settle = (_end: TerminalEnd): void => {}
	const ended = new Promise<TerminalEnd>((resolve) => {
		settle = resolve
	})
	const deliver = (bytes: Uint8Array): void => {
		let isDone = false
		onOutput?.(bytes, () => {
			if (isDone) return
			isDone = true
			stream.consume(bytes.length)
		})
	}
	const finish = async (): Promise<void> => {
		if (isDetached) return settle({ kind: 'detached' })
		if (exit !== undefined) return settle({ kind: 'exit', ...exit })
		if (reset !== undefined && reset.code !== 'link_lost') return settle({ kind: 'reset', reset })
		if (reset !== undefined || !link.isOpen) return settle({ kind: 'link', end: await link.ended })
		return settle({ kind: 'exit' })
	}
	stream.setHandlers({
		onData: (bytes) => (onOutput === undefined ? void waiting.push(bytes) : deliver(bytes)),
		onMessage: (message) => {
			if (message.op === 'exit') {
				exit = {
					...(message.status === undefined ? {} : { status: message.status }),
					...(message.signal === undefined ? {} : { signal: message.signal }),
				}
			} else onMessage(message)
		},
		// The program is gone: what was typed meanwhile has nowhere to go.
		onEnd: () => stream.end(),
		onReset: (why) => {
			reset = why
		},
		onDrain: () => onWritable(),
		onClose: () => void finish(),
	})
	const session: TerminalSession = {
		terminalId: '',
		name: '',
		kind: 'shell',
		onOutput(handler) {
			onOutput = handler
			for (const bytes of waiting.splice(0)) deliver(bytes)
		},
		write: (bytes) => stream.write(bytes),
		onWritable: (handler) => {
			onWritable = handler
		},
		resize: (cols, rows) => stream.send({ op: 'resize', cols, rows }),
		detach() {
			isDetached = true
			stream.reset('cancelled', 'detached')
			settle({ kind: 'detached' })
		},
		ended,
	}
	return {
		session,
		onMessage: (handler) => {
			onMessage = handler
		},
	}
}
