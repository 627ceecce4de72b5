import { realpathSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const VERSION = '0.1.0'

/**
 * The script that runs: what starts the background process and stands in ssh's ProxyCommand. Links are followed: the
 * command is mostly called through one (`/usr/local/bin/sally`), and its page lies beside the file itself.
 */
export function scriptPath(): string {
	const path = process.argv[1] ?? fileURLToPath(import.meta.url)
	try {
		return realpathSync(path)
	} catch {
		// Replaced or removed while running: the name is all there is.
		return path
	}
}

/** Tells builds apart, so that a command never talks to a background process of another one. */
export function buildId(): string {
	try {
		return `${VERSION}-${Math.floor(statSync(scriptPath()).mtimeMs)}`
	} catch {
		// Replaced or removed while running: then the version has to do.
		return VERSION
	}
}

/**
 * Flags of V8 for processes that carry bulk. A small heap with many buffers outside it is collected whole for every few
 * MiB carried; with this start size it isn't (measured: 85 whole collections for 512 MiB, then none; same memory).
 */
export const BULK_FLAGS: readonly string[] = ['--initial-old-space-size=128']
