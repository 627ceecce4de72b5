import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SOCKET_PATH_MAX = 100

/** Where an agent with this data folder has its control socket: in the folder, or where a shorter path is possible. */
export function controlSocketPath(dataDir: string): { readonly folder: string; readonly path: string } {
	const inside = join(dataDir, 'control.sock')
	// The system takes no socket path above 107 bytes.
	if (Buffer.byteLength(inside) <= SOCKET_PATH_MAX) return { folder: dataDir, path: inside }
	const folder = join(tmpdir(), `sallyport-${process.getuid?.() ?? 'user'}`)
	const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 16)
	return { folder, path: join(folder, `${name}.sock`) }
}
