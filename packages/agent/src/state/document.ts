import type { PrivateDirectory, SealingKey } from '@sallyport/carrier/node'
import type { Logger } from '@sallyport/protocol'
import { bytesToUtf8, encodeMessage, parseJson, parseWith, utf8ToBytes } from '@sallyport/protocol'
import type { GenericSchema } from 'valibot'
import { AgentError } from '../errors.ts'

/** A value that is kept on disk, whole, in one private file. */
export interface Document<T> {
	/** What was loaded or saved last. */
	readonly value: T | undefined
	/**
	 * Takes the value at once and resolves when the disk has it, or one that was saved after it. Saves that come while one
	 * is being written are written together.
	 */
	save(value: T): Promise<void>
	remove(): Promise<void>
}

export interface DocumentOptions<T> {
	readonly directory: PrivateDirectory
	readonly name: string
	readonly schema: GenericSchema<unknown, T>
	readonly log: Logger
	/** Encrypts the file. Its name is the purpose. */
	readonly sealingKey?: SealingKey
	/** What an unreadable file means. Either way it is set aside. `refuse`: the agent must not go on without it. */
	readonly onCorrupt: 'refuse' | 'start_empty'
	/** What the file is, for people: "the node's identity". */
	readonly title: string
}

const MAX_BYTES = 8 * 1024 * 1024

/**
 * Loads a document.
 *
 * @throws {AgentError} `state_corrupt` when it can't be read and `onCorrupt` is `refuse`
 * @throws {SecureFileError} when the file is not private
 */
export async function openDocument<T extends object>(options: DocumentOptions<T>): Promise<Document<T>> {
	const bytes = await options.directory.read(options.name, MAX_BYTES)
	let value: T | undefined = bytes === undefined ? undefined : await readValue(options, bytes)
	const write = createWriter(options)
	return {
		get value() {
			return value
		},
		save(next) {
			value = next
			return write(next)
		},
		async remove() {
			value = undefined
			await write(undefined)
		},
	}
}

async function readValue<T>(options: DocumentOptions<T>, bytes: Uint8Array): Promise<T | undefined> {
	const { sealingKey, directory, name, title } = options
	const plain = sealingKey === undefined ? bytes : sealingKey.open(name, bytes)
	const text = plain === undefined ? undefined : bytesToUtf8(plain)
	const json = text?.ok === true ? parseJson(text.value, MAX_BYTES) : undefined
	const parsed = json?.ok === true ? parseWith(options.schema, json.value) : undefined
	if (parsed?.ok === true) return parsed.value
	const reason = plain === undefined ? 'it was altered, truncated, or sealed with another key' : 'it is damaged'
	const aside = await directory.setAside(name)
	if (options.onCorrupt === 'refuse') {
		throw new AgentError(
			'state_corrupt',
			`${title} (${directory.path}/${name}) cannot be read: ${reason}. It is kept as ${aside}: restore it from a backup, or start again to begin without it`,
		)
	}
	options.log.warn('state file cannot be read and was set aside', { file: name, aside, reason })
	return undefined
}

function createWriter<T extends object>(options: DocumentOptions<T>): (value: T | undefined) => Promise<void> {
	const { directory, name, sealingKey } = options
	let current: Promise<void> = Promise.resolve()
	let next: { value: T | undefined; promise: Promise<void> } | undefined
	const put = (value: T | undefined): Promise<void> => {
		if (value === undefined) return directory.remove(name)
		const plain = utf8ToBytes(`${encodeMessage({ op: name, ...value })}\n`)
		return directory.replace(name, sealingKey === undefined ? plain : sealingKey.seal(name, plain))
	}
	return (value) => {
		if (next !== undefined) {
			next.value = value
			return next.promise
		}
		const mine: { value: T | undefined; promise: Promise<void> } = { value, promise: Promise.resolve() }
		mine.promise = current
			.catch(() => undefined) // Its own callers have heard of it.
			.then(() => {
				next = undefined
				return put(mine.value)
			})
		next = mine
		current = mine.promise
		return mine.promise
	}
}
