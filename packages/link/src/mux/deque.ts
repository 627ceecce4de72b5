/** A first-in-first-out list whose `shift` costs the same however long it is. */
export class Deque<T> {
	#items: (T | undefined)[] = []
	#head = 0

	get length(): number {
		return this.#items.length - this.#head
	}

	push(item: T): void {
		this.#items.push(item)
	}

	at(index: number): T | undefined {
		return this.#items[this.#head + index]
	}

	last(): T | undefined {
		return this.length === 0 ? undefined : this.#items[this.#items.length - 1]
	}

	shift(): T | undefined {
		if (this.length === 0) return undefined
		const item = this.#items[this.#head]
		// Released at once: what was taken may hold a large buffer.
		this.#items[this.#head] = undefined
		this.#head++
		if (this.#head === this.#items.length) this.clear()
		else if (this.#head >= 1024 && this.#head * 2 >= this.#items.length) {
			this.#items = this.#items.slice(this.#head)
			this.#head = 0
		}
		return item
	}

	clear(): void {
		this.#items = []
		this.#head = 0
	}
}
