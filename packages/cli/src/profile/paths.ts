import { createHash } from 'node:crypto'
import { homedir, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { CliError, EXIT } from '../exit-codes.ts'

/** Where one profile keeps its things. A profile is one relay with one account. */
export interface ProfilePaths {
	readonly name: string
	/** Keys, pairings, sign-in; 0700. */
	readonly dataDir: string
	/** Folder of the background process's socket; 0700. */
	readonly runtimeDir: string
	readonly socket: string
	readonly lock: string
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/
/** `sun_path` holds 108 bytes with its end on Linux, 104 elsewhere. */
const SOCKET_PATH_MAX = 100

export function profilePaths(name: string, env: NodeJS.ProcessEnv): ProfilePaths {
	if (!NAME.test(name)) {
		throw new CliError(EXIT.usage, 'a profile name has 1 to 32 letters, digits, - and _, and starts with a letter or digit')
	}
	const base = env['SALLY_DATA_DIR'] ?? join(env['XDG_DATA_HOME'] || join(homedir(), '.local/share'), 'sallyport/cli')
	const dataDir = join(base, name)
	// Two data folders may hold a profile of one name: their processes must not meet.
	const key = `${name}-${createHash('sha256').update(dataDir).digest('hex').slice(0, 8)}`
	const preferred = env['XDG_RUNTIME_DIR'] ? join(env['XDG_RUNTIME_DIR'], 'sally') : join(dataDir, 'run')
	const fits = Buffer.byteLength(join(preferred, `${key}.sock`)) <= SOCKET_PATH_MAX
	const runtimeDir = fits ? preferred : join(tmpdir(), `sally-${userInfo().uid}`)
	return { name, dataDir, runtimeDir, socket: join(runtimeDir, `${key}.sock`), lock: join(runtimeDir, `${key}.lock`) }
}
