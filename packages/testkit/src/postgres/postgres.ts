/**
 * A real PostgreSQL of one's own for a test file: a fresh cluster in a temporary folder, reachable by a unix socket in
 * that folder alone, so that there is no port to clash over.
 */
import { spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const INSTALL_ROOT = '/usr/lib/postgresql'
const START_TIMEOUT_MS = 30_000

export interface TestPostgres {
	/** Of the ready-made empty database; each call of `createDatabase` makes another. */
	readonly url: string
	createDatabase(name: string): string
	/** Cuts all connections and starts over at once, as a crash would. */
	restart(): Promise<void>
	/** Stops the server and leaves it stopped; `restart` brings it back. */
	halt(): Promise<void>
	stop(): Promise<void>
}

/** Throws when no PostgreSQL is installed: a suite that was asked for is never skipped in silence. */
export async function startPostgres(): Promise<TestPostgres> {
	const bin = findBinaries()
	const runAs = unprivilegedUser()
	const folder = mkdtempSync(join(tmpdir(), 'sallyport-pg-'))
	if (runAs !== undefined) chownSync(folder, runAs.uid, runAs.gid)
	const data = join(folder, 'data')
	run(join(bin, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'sallyport', '--no-sync', '-E', 'UTF8', '--locale=C'], runAs)
	const urlOf = (database: string) => `postgresql://sallyport@localhost/${database}?host=${encodeURIComponent(folder)}`
	let stopServer = await startServer(bin, folder, data, runAs)
	return {
		url: urlOf('postgres'),
		createDatabase(name) {
			run(join(bin, 'createdb'), ['-h', folder, '-U', 'sallyport', name], runAs)
			return urlOf(name)
		},
		async restart() {
			await stopServer()
			stopServer = await startServer(bin, folder, data, runAs)
		},
		halt: () => stopServer(),
		async stop() {
			await stopServer()
			rmSync(folder, { recursive: true, force: true })
		},
	}
}

interface Identity {
	readonly uid: number
	readonly gid: number
}

function findBinaries(): string {
	const versions = existsSync(INSTALL_ROOT) ? readdirSync(INSTALL_ROOT).filter((name) => /^\d+$/.test(name)) : []
	const newest = versions.sort((left, right) => Number(right) - Number(left))[0]
	if (newest === undefined)
		throw new Error(`no PostgreSQL in ${INSTALL_ROOT}: install it (on Debian: apt-get install postgresql)`)
	return join(INSTALL_ROOT, newest, 'bin')
}

/** PostgreSQL refuses to run as root; the package brings a user for it. */
function unprivilegedUser(): Identity | undefined {
	if (process.getuid?.() !== 0) return undefined
	const read = (flag: string) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout)
	return { uid: read('-u'), gid: read('-g') }
}

function run(command: string, args: readonly string[], runAs: Identity | undefined): void {
	const done = spawnSync(command, args, { encoding: 'utf8', cwd: '/', ...runAs })
	if (done.status !== 0) throw new Error(`${command} failed: ${done.stderr || done.error?.message}`)
}

/**
 * The shell in between ends the server when its input closes: also when the test process is killed and can't.
 */
async function startServer(bin: string, folder: string, data: string, runAs: Identity | undefined): Promise<() => Promise<void>> {
	const server = `'${join(bin, 'postgres')}' -D '${data}' -k '${folder}' -c listen_addresses='' -c fsync=off -c log_min_messages=panic`
	const script = `${server} & pid=$!; read -r _; kill -QUIT $pid; wait $pid`
	const shell = spawn('/bin/sh', ['-c', script], { cwd: '/', stdio: ['pipe', 'ignore', 'inherit'], ...runAs })
	const ended = new Promise<void>((resolve) => shell.once('exit', () => resolve()))
	const deadline = Date.now() + START_TIMEOUT_MS
	while (
		spawnSync(join(bin, 'pg_isready'), ['-q', '-h', folder, '-U', 'sallyport', '-d', 'postgres'], { ...runAs }).status !== 0
	) {
		if (shell.exitCode !== null || Date.now() > deadline) throw new Error('PostgreSQL did not start: its own message is above')
		await new Promise((resolve) => setTimeout(resolve, 20))
	}
	return async () => {
		shell.stdin.end()
		await ended
	}
}
