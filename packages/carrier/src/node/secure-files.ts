import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

/** Why a file or folder that holds secrets was not used. Listed in `docs/errors.md`. */
export const SECURE_FILE_ERROR_CODES = [
	'readable_by_others',
	'foreign_owner',
	'symlink',
	'not_a_file',
	'not_a_folder',
	'file_too_large',
	'not_writable',
	'sealing_key_missing',
] as const
export type SecureFileErrorCode = (typeof SECURE_FILE_ERROR_CODES)[number]

/** A private file or folder that is not as it must be. The message says what to do about it. */
export class SecureFileError extends Error {
	override readonly name = 'SecureFileError'
	readonly code: SecureFileErrorCode
	readonly path: string

	constructor(code: SecureFileErrorCode, path: string, message: string, cause?: unknown) {
		super(message, cause === undefined ? {} : { cause })
		this.code = code
		this.path = path
	}
}

/**
 * A folder that one user alone can enter (0700), with files that this user alone can read (0600). Names are plain: no
 * separators. Symbolic links are never followed. What others could read or own is refused, not repaired: whoever could
 * read a key may have it already.
 */
export interface PrivateDirectory {
	readonly path: string
	/** The whole file, or undefined when there is none. */
	read(name: string, maxBytes: number): Promise<Uint8Array | undefined>
	/** Replaces the file in one step: after a crash at any moment the old or the new content is there, whole. */
	replace(name: string, bytes: Uint8Array): Promise<void>
	/** Adds one line and waits until the disk has it. A line that a crash left unfinished is ended first. */
	appendLine(name: string, line: string): Promise<void>
	/** Keeps an unreadable file under `<name>.corrupt-<time>` and returns that name. */
	setAside(name: string): Promise<string>
	remove(name: string): Promise<void>
}

const FOLDER_MODE = 0o700
const FILE_MODE = 0o600
const OTHERS = 0o077
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
const TEMPORARY = /\.[0-9a-f]{12}\.tmp$/
/** A temporary file this old was left by a crash: no write takes as long. */
const TEMPORARY_MAX_AGE_MS = 60_000

/**
 * Opens a private folder, making it when there is none.
 *
 * @throws {SecureFileError} `symlink`, `not_a_folder`, `foreign_owner`, `readable_by_others`, `not_writable`
 */
export async function openPrivateDirectory(path: string): Promise<PrivateDirectory> {
	const folder = resolve(path)
	await makeFolder(folder)
	await checkFolder(folder)
	await removeLeftovers(folder)
	const inside = (name: string): string => {
		if (!NAME.test(name)) throw new RangeError(`${JSON.stringify(name)} is not a plain file name`)
		return join(folder, name)
	}
	return {
		path: folder,
		read: (name, maxBytes) => readPrivateFile(inside(name), maxBytes),
		replace: (name, bytes) => replacePrivateFile(inside(name), bytes),
		appendLine: (name, line) => appendPrivateLine(inside(name), line),
		setAside: async (name) => {
			const aside = `${name}.corrupt-${new Date().toISOString().replaceAll(/[:.]/g, '-')}-${randomBytes(2).toString('hex')}`
			await rename(inside(name), join(folder, aside))
			await syncFolder(folder)
			return aside
		},
		remove: async (name) => {
			await rm(inside(name), { force: true })
			await syncFolder(folder)
		},
	}
}

/**
 * Reads a file that must be private; undefined when there is none.
 *
 * @throws {SecureFileError} `symlink`, `not_a_file`, `foreign_owner`, `readable_by_others`, `file_too_large`
 */
export async function readPrivateFile(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
	const file = await openFile(path, constants.O_RDONLY)
	if (file === undefined) return undefined
	try {
		const size = await checkFile(file, path)
		if (size > maxBytes) throw new SecureFileError('file_too_large', path, `${path} has ${size} bytes, more than ${maxBytes}`)
		return new Uint8Array(await file.readFile())
	} finally {
		await file.close()
	}
}

async function replacePrivateFile(path: string, bytes: Uint8Array): Promise<void> {
	const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
	try {
		const file = await open(
			temporary,
			constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
			FILE_MODE,
		)
		try {
			await file.writeFile(bytes)
			await file.sync()
		} finally {
			await file.close()
		}
		await rename(temporary, path)
		await syncFolder(dirname(path))
	} catch (cause) {
		await rm(temporary, { force: true })
		throw notWritable(path, cause)
	}
}

async function appendPrivateLine(path: string, line: string): Promise<void> {
	if (line.includes('\n')) throw new RangeError('a line holds no line break')
	const file = await openFile(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT)
	if (file === undefined) throw notWritable(path, undefined)
	try {
		const size = await checkFile(file, path)
		const last = new Uint8Array(1)
		const isTorn = size > 0 && (await file.read(last, 0, 1, size - 1)).bytesRead === 1 && last[0] !== 0x0a
		await file.appendFile(`${isTorn ? '\n' : ''}${line}\n`)
		await file.sync()
	} finally {
		await file.close()
	}
}

async function openFile(path: string, flags: number): Promise<FileHandle | undefined> {
	try {
		// Not blocking: a pipe put in the file's place must not hold the program.
		return await open(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, FILE_MODE)
	} catch (cause) {
		const code = systemCode(cause)
		if (code === 'ENOENT') return undefined
		if (code === 'ELOOP')
			throw new SecureFileError('symlink', path, `${path} is a symbolic link; put the file itself there`, cause)
		throw notWritable(path, cause)
	}
}

/** Returns the size. */
async function checkFile(file: FileHandle, path: string): Promise<number> {
	const stat = await file.stat()
	if (!stat.isFile()) throw new SecureFileError('not_a_file', path, `${path} is not a plain file`)
	checkOwner(path, stat.uid)
	if ((stat.mode & OTHERS) !== 0) {
		throw new SecureFileError(
			'readable_by_others',
			path,
			`${path} can be read or changed by other users; treat what it holds as known to them, or run: chmod 600 '${path}'`,
		)
	}
	return stat.size
}

async function checkFolder(path: string): Promise<void> {
	const stat = await lstat(path)
	if (stat.isSymbolicLink()) throw new SecureFileError('symlink', path, `${path} is a symbolic link; name the folder itself`)
	if (!stat.isDirectory()) throw new SecureFileError('not_a_folder', path, `${path} is not a folder`)
	checkOwner(path, stat.uid)
	if ((stat.mode & OTHERS) !== 0) {
		throw new SecureFileError(
			'readable_by_others',
			path,
			`${path} can be entered by other users; make it private with: chmod 700 '${path}'`,
		)
	}
}

function checkOwner(path: string, uid: number): void {
	const own = process.getuid?.()
	if (own !== undefined && uid !== own) {
		throw new SecureFileError('foreign_owner', path, `${path} belongs to user ${uid}, not to ${own} who runs this program`)
	}
}

async function makeFolder(path: string): Promise<void> {
	try {
		await mkdir(path, { recursive: true, mode: FOLDER_MODE })
	} catch (cause) {
		if (systemCode(cause) === 'EEXIST') return // Something is there: what it is, the check says.
		throw notWritable(path, cause)
	}
}

async function removeLeftovers(folder: string): Promise<void> {
	for (const name of await readdir(folder)) {
		if (!TEMPORARY.test(name)) continue
		const path = join(folder, name)
		const stat = await lstat(path).catch(() => undefined) // Its writer may finish or remove it meanwhile.
		if (stat !== undefined && Date.now() - stat.mtimeMs > TEMPORARY_MAX_AGE_MS) await rm(path, { force: true })
	}
}

/** Makes a rename last: without this a power cut may bring the old name back. */
async function syncFolder(path: string): Promise<void> {
	const folder = await open(path, constants.O_RDONLY)
	try {
		await folder.sync()
	} finally {
		await folder.close()
	}
}

function notWritable(path: string, cause: unknown): SecureFileError {
	if (cause instanceof SecureFileError) return cause
	const code = systemCode(cause)
	return new SecureFileError(
		'not_writable',
		path,
		`${path} cannot be used${code === '' ? '' : ` (${code})`}: check that it is yours and that the disk has room`,
		cause,
	)
}

function systemCode(error: unknown): string {
	return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
