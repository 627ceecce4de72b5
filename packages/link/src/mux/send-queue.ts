import { Deque } from './deque.ts'

/** Writes up to this size are gathered in blocks, so that many small ones don't cost an object each. */
const SMALL_BYTES = 1024
const BLOCK_BYTES = 4096

interface DataItem {
	readonly kind: 'data'
	readonly fd: number | undefined
	/** The caller's bytes, or a block of ours that has room after `end`. */
	buffer: Uint8Array
	start: number
	end: number
	isOwn: boolean
}
interface ControlItem {
	readonly kind: 'control'
	readonly json: Uint8Array
	readonly isEnd: boolean
	/** Of no meaning without the data before it. */
	readonly needsData: boolean
}

/**
 * What one stream has still to send, in order: data and the messages that must not overtake it. Data is kept by
 * reference and copied once, into the record.
 */
export class SendQueue {
	readonly #items = new Deque<DataItem | ControlItem>()
	#dataBytes = 0

	get dataBytes(): number {
		return this.#dataBytes
	}

	get head(): 'data' | 'control' | undefined {
		return this.#items.at(0)?.kind
	}

	pushData(fd: number | undefined, bytes: Uint8Array): void {
		this.#dataBytes += bytes.length
		const last = this.#items.last()
		if (last?.kind === 'data' && last.fd === fd && bytes.length <= SMALL_BYTES && gather(last, bytes)) return
		this.#items.push({ kind: 'data', fd, buffer: bytes, start: 0, end: bytes.length, isOwn: false })
	}

	pushControl(json: Uint8Array, options: { readonly isEnd: boolean; readonly needsData: boolean }): void {
		this.#items.push({ kind: 'control', json, ...options })
	}

	/** The messages that say something even when the data between them is dropped. */
	get messages(): readonly Uint8Array[] {
		const messages: Uint8Array[] = []
		for (let index = 0, item = this.#items.at(0); item !== undefined; item = this.#items.at(++index)) {
			if (item.kind === 'control' && !item.needsData) messages.push(item.json)
		}
		return messages
	}

	/** The control item at the head. */
	peekControl(): ControlItem | undefined {
		const item = this.#items.at(0)
		return item?.kind === 'control' ? item : undefined
	}

	dropControl(): void {
		this.#items.shift()
	}

	/** The data at the head that one frame can take: of one fd, over as many writes as there are, `maxBytes` at most. */
	peekData(maxBytes: number): { readonly fd: number | undefined; readonly length: number } {
		const first = this.#items.at(0)
		const fd = first?.kind === 'data' ? first.fd : undefined
		let length = 0
		for (let index = 0; length < maxBytes; index++) {
			const item = this.#items.at(index)
			if (item?.kind !== 'data' || item.fd !== fd) break
			length += item.end - item.start
		}
		return { fd, length: Math.min(length, maxBytes) }
	}

	/** Moves `length` bytes, as counted by `peekData`, out of the queue and into a record. */
	takeData(into: Uint8Array, offset: number, length: number): void {
		let copied = 0
		while (copied < length) {
			const item = this.#items.at(0)
			if (item?.kind !== 'data') throw new RangeError(`the queue holds less than ${length} bytes of data`)
			const take = Math.min(item.end - item.start, length - copied)
			into.set(item.buffer.subarray(item.start, item.start + take), offset + copied)
			copied += take
			item.start += take
			if (item.start === item.end) this.#items.shift()
		}
		this.#dataBytes -= length
	}

	clear(): void {
		this.#items.clear()
		this.#dataBytes = 0
	}
}

function gather(last: DataItem, bytes: Uint8Array): boolean {
	const length = last.end - last.start
	if (last.isOwn && last.end + bytes.length <= last.buffer.length) {
		last.buffer.set(bytes, last.end)
		last.end += bytes.length
		return true
	}
	if (last.isOwn || length > SMALL_BYTES) return false
	const block = new Uint8Array(BLOCK_BYTES)
	block.set(last.buffer.subarray(last.start, last.end))
	block.set(bytes, length)
	last.buffer = block
	last.start = 0
	last.end = length + bytes.length
	last.isOwn = true
	return true
}
