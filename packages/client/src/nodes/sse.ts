export interface ServerSentEvent {
	readonly event: string
	readonly data: string
}

/** An event longer than this ends the stream: a list of ten thousand machines is far below it. */
const MAX_EVENT_CHARS = 8 * 1024 * 1024

/**
 * Parses `text/event-stream` in any chunking (WHATWG HTML, "Server-sent events"). `id` and `retry` fields are ignored:
 * offsets travel in the data.
 */
export class ServerSentEvents {
	#rest = ''
	#event = ''
	#data: string[] = []
	#size = 0
	#skipLineFeed = false

	/** Takes the next piece of text and returns the events that it completes. Throws `RangeError` when one is too long. */
	push(text: string): readonly ServerSentEvent[] {
		const events: ServerSentEvent[] = []
		let buffer = this.#rest + (this.#skipLineFeed && text.startsWith('\n') ? text.slice(1) : text)
		if (text.length > 0) this.#skipLineFeed = false
		for (;;) {
			const end = buffer.search(/[\r\n]/)
			if (end < 0) break
			const line = buffer.slice(0, end)
			if (buffer[end] === '\r' && end + 1 === buffer.length) this.#skipLineFeed = true
			buffer = buffer.slice(buffer.startsWith('\r\n', end) ? end + 2 : end + 1)
			const event = this.#takeLine(line)
			if (event !== undefined) events.push(event)
		}
		this.#rest = buffer
		if (this.#size + buffer.length > MAX_EVENT_CHARS) throw new RangeError(`event exceeds ${MAX_EVENT_CHARS} characters`)
		return events
	}

	#takeLine(line: string): ServerSentEvent | undefined {
		if (line === '') return this.#dispatch()
		const colon = line.indexOf(':')
		const field = colon < 0 ? line : line.slice(0, colon)
		const raw = colon < 0 ? '' : line.slice(colon + 1)
		const value = raw.startsWith(' ') ? raw.slice(1) : raw
		if (field === 'event') this.#event = value
		if (field === 'data') {
			this.#data.push(value)
			this.#size += value.length
		}
		return undefined
	}

	#dispatch(): ServerSentEvent | undefined {
		const event = this.#data.length === 0 ? undefined : { event: this.#event || 'message', data: this.#data.join('\n') }
		this.#event = ''
		this.#data = []
		this.#size = 0
		return event
	}
}
