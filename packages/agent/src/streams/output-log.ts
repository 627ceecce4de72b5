/** The last bytes of an output, at most `maxBytes`; older ones go. Chunks are kept, not copied. */
export class OutputLog {
	readonly #maxBytes: number
	#chunks: Uint8Array[] = []
	#byteCount = 0

	constructor(maxBytes: number) {
		this.#maxBytes = maxBytes
	}

	get byteCount(): number {
		return this.#byteCount
	}

	push(bytes: Uint8Array): void {
		// A copy: a small piece of a large buffer must not hold all of it.
		const kept = bytes.length > this.#maxBytes ? bytes.slice(-this.#maxBytes) : bytes.slice()
		this.#chunks.push(kept)
		this.#byteCount += kept.length
		while (this.#byteCount > this.#maxBytes) {
			const first = this.#chunks[0]
			if (first === undefined) return
			const excess = this.#byteCount - this.#maxBytes
			if (first.length <= excess) {
				this.#chunks.shift()
				this.#byteCount -= first.length
			} else {
				this.#chunks[0] = first.subarray(excess)
				this.#byteCount -= excess
			}
		}
	}

	chunks(): readonly Uint8Array[] {
		return [...this.#chunks]
	}
}
