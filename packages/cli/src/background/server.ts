import { chmod, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { buildId } from '../build-id.ts'
import type { Profile } from '../profile/profile.ts'
import { LinkHost } from './link-host.ts'
import { type LinkSource, relaySource } from './link-source.ts'

/** Buffers of each local connection: a few reads of the kernel's size. */
export const LOCAL_BUFFER_BYTES = 1024 * 1024
/** The process ends this long after its last stream. */
const IDLE_MS = 60_000

export interface BackgroundOptions {
	readonly profile: Profile
	/** @default 60 s */
	readonly idleMs?: number
}

/** Serves the profile's socket until nothing has been asked for a while. Resolves when all is closed. */
export async function runBackground(options: BackgroundOptions): Promise<void> {
	const { profile, idleMs = IDLE_MS } = options
	let source: Promise<LinkSource> | undefined
	let active = 0
	let isDraining = false
	let idleTimer: NodeJS.Timeout | undefined
	let finish = (): void => {}
	const finished = new Promise<void>((resolve) => {
		finish = resolve
	})
	const settle = (): void => {
		clearTimeout(idleTimer)
		if (active > 0) return
		if (isDraining) finish()
		else idleTimer = setTimeout(finish, idleMs)
	}
	const host = new LinkHost({
		build: buildId(),
		source: () => {
			source ??= profile.openClient().then(relaySource, (error: unknown) => {
				source = undefined
				throw error
			})
			return source
		},
		nowMs: () => Date.now(),
		onStop: (how) => {
			isDraining = true
			void server.stop()
			if (how === 'stop') finish()
		},
		onLoad: (now) => {
			active = now
			settle()
		},
	})
	const server = await listen(profile.paths.socket, host)
	for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, finish)
	settle()
	await finished
	clearTimeout(idleTimer)
	await server.stop()
	const opened = await source?.catch(() => undefined)
	opened?.close()
}

interface LocalServer {
	/** Takes no more connections and removes the socket; those that are open go on. Idempotent. */
	stop(): Promise<void>
}

async function listen(path: string, host: LinkHost): Promise<LocalServer> {
	const server: Server = createServer(
		{ allowHalfOpen: true, pauseOnConnect: false, highWaterMark: LOCAL_BUFFER_BYTES },
		(socket) => void host.serve(socket),
	)
	// Whoever starts this process holds the lock and found nobody listening: what lies here was left by a crash.
	await rm(path, { force: true })
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject)
		server.listen(path, resolve)
	})
	await chmod(path, 0o600)
	let isStopped = false
	return {
		async stop() {
			if (isStopped) return
			isStopped = true
			server.close()
			// `close` removes the socket's path itself; another process may listen there from now on.
		},
	}
}
