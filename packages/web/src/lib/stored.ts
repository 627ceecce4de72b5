/** A value kept in the browser, as far as the browser lets it; a damaged or barred store reads as nothing. */
export interface Stored<T> {
	read(): T
	write(value: T): void
}

export function createStored<T>(
	store: Pick<Storage, 'getItem' | 'setItem'>,
	key: string,
	parse: (value: unknown) => T,
): Stored<T> {
	return {
		read() {
			try {
				return parse(JSON.parse(store.getItem(key) ?? 'null'))
			} catch {
				// Barred storage or damaged text: the parser's default stands.
				return parse(null)
			}
		},
		write(value) {
			try {
				store.setItem(key, JSON.stringify(value))
			} catch {
				// Full or barred: the value lives as long as the page.
			}
		},
	}
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}
