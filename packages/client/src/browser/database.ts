import { ClientError } from '../errors.ts'

const NAME = 'sallyport'
const VERSION = 1
export const STORES = { keys: 'keys', pairings: 'pairings', joins: 'joins' } as const
export type StoreName = (typeof STORES)[keyof typeof STORES]

/** The page's own database: keys that can't be exported, pairings, joins in waiting. */
export interface Database {
	get(store: StoreName, key: string): Promise<unknown>
	all(store: StoreName): Promise<readonly unknown[]>
	/** Resolves when it lasts. */
	put(store: StoreName, key: string, value: unknown): Promise<void>
	/** Keeps what is there already; returns what is there in the end. So two tabs that start at once agree. */
	putIfAbsent(store: StoreName, key: string, value: unknown): Promise<unknown>
	delete(store: StoreName, key: string): Promise<void>
	close(): void
}

/** Rejects `storage` where the browser keeps nothing, as some private windows do. */
export async function openDatabase(factory: IDBFactory = indexedDB): Promise<Database> {
	const database = await open(factory)
	const run = <T>(mode: IDBTransactionMode, store: StoreName, act: (objects: IDBObjectStore) => IDBRequest<T>): Promise<T> =>
		new Promise((resolve, reject) => {
			const transaction = database.transaction(store, mode, { durability: 'strict' })
			const request = act(transaction.objectStore(store))
			transaction.oncomplete = () => resolve(request.result)
			transaction.onerror = () => reject(storageError(transaction.error))
			transaction.onabort = () => reject(storageError(transaction.error))
		})
	return {
		get: (store, key) => run('readonly', store, (objects) => objects.get(key)),
		all: (store) => run('readonly', store, (objects) => objects.getAll()),
		put: async (store, key, value) => {
			await run('readwrite', store, (objects) => objects.put(value, key))
		},
		putIfAbsent: (store, key, value) =>
			new Promise((resolve, reject) => {
				const transaction = database.transaction(store, 'readwrite', { durability: 'strict' })
				const objects = transaction.objectStore(store)
				const found = objects.get(key)
				let kept: unknown = value
				found.onsuccess = () => {
					if (found.result === undefined) objects.put(value, key)
					else kept = found.result
				}
				transaction.oncomplete = () => resolve(kept)
				transaction.onerror = () => reject(storageError(transaction.error))
				transaction.onabort = () => reject(storageError(transaction.error))
			}),
		delete: async (store, key) => {
			await run('readwrite', store, (objects) => objects.delete(key))
		},
		close: () => database.close(),
	}
}

function open(factory: IDBFactory): Promise<IDBDatabase> {
	return new Promise((resolve, reject) => {
		const request = factory.open(NAME, VERSION)
		request.onupgradeneeded = () => {
			for (const store of Object.values(STORES)) {
				if (!request.result.objectStoreNames.contains(store)) request.result.createObjectStore(store)
			}
		}
		request.onsuccess = () => {
			const database = request.result
			// A newer page in another tab needs the database: give way rather than hold it up.
			database.onversionchange = () => database.close()
			resolve(database)
		}
		request.onerror = () => reject(storageError(request.error))
		request.onblocked = () => reject(storageError(null))
	})
}

function storageError(cause: DOMException | null): ClientError {
	const full = cause?.name === 'QuotaExceededError' ? ': there is no room left' : ''
	return new ClientError(
		'storage',
		`this browser keeps no data for the page${full}. Leave private browsing, or allow site data, and reload`,
		{ cause },
	)
}
