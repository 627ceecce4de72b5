import { open, readFile, rm, stat } from 'node:fs/promises'

export interface FileLockOptions {
	/** How long to wait for whoever holds it. */
	readonly waitMs: number
	/** A lock older than this was left by a crash, whatever its process id says. */
	readonly staleMs: number
}

const RETRY_MS = 15

/**
 * Does something while no other process does it: a file made exclusively, with the holder's process id. A lock whose
 * holder is gone is taken over. Returns undefined when the wait was in vain.
 */
export async function withFileLock<T>(path: string, options: FileLockOptions, act: () => Promise<T>): Promise<T | undefined> {
	const deadline = Date.now() + options.waitMs
	while (!(await acquire(path, options.staleMs))) {
		if (Date.now() >= deadline) return undefined
		await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
	}
	try {
		return await act()
	} finally {
		await rm(path, { force: true })
	}
}

async function acquire(path: string, staleMs: number): Promise<boolean> {
	try {
		const file = await open(path, 'wx', 0o600)
		await file.writeFile(String(process.pid))
		await file.close()
		return true
	} catch (error) {
		if (!isCode(error, 'EEXIST')) throw error
		if (await isStale(path, staleMs)) await rm(path, { force: true })
		return false
	}
}

async function isStale(path: string, staleMs: number): Promise<boolean> {
	try {
		const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)])
		if (Date.now() - mtimeMs > staleMs) return true
		// An empty file is one that its maker is still writing.
		return text !== '' && !isAlive(Number(text))
	} catch (error) {
		// Gone meanwhile: the next try will tell.
		if (isCode(error, 'ENOENT')) return false
		throw error
	}
}

function isAlive(pid: number): boolean {
	if (!Number.isSafeInteger(pid) || pid <= 0) return false
	try {
		process.kill(pid, 0)
		return true
	} catch (error) {
		return isCode(error, 'EPERM')
	}
}

function isCode(error: unknown, code: string): boolean {
	return error instanceof Error && 'code' in error && error.code === code
}
